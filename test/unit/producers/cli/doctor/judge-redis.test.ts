import { judgeRedis } from '../../../../../producers/cli/doctor/judge-redis.ts';
import type { RedisServer } from '../../../../../shared/queue/inspect-redis.ts';

const good: RedisServer = {
  address: 'redis:6379',
  version: '7.2.4',
  role: 'master',
  mode: 'standalone',
  evictionPolicy: 'noeviction',
  aofEnabled: true,
  aofIsWritten: true,
  usedMemoryBytes: 1_000,
  maxMemoryBytes: 0,
  configIsReadable: true,
  clockAheadMs: 3,
};

function amiss(servers: readonly RedisServer[], asCluster = false): string[] {
  return judgeRedis(servers, asCluster)
    .filter(({ state }) => state !== 'ok')
    .map(({ state, check, finding }) => `${state} ${check}: ${finding}`);
}

test('nothing is amiss with a good one, nor with a good cluster', () => {
  expect(amiss([good])).toEqual([]);
  expect(
    amiss(
      [
        { ...good, mode: 'cluster' },
        { ...good, mode: 'cluster' },
      ],
      true,
    ),
  ).toEqual([]);
});

test.each<[Partial<RedisServer>, RegExp]>([
  [{ version: '6.0.16' }, /^fail version: 6\.0\.16 is too old$/],
  [{ version: '' }, /^fail version: /],
  [{ role: 'slave' }, /^fail connection: it is a replica: it takes no writes$/],
  [{ mode: 'cluster' }, /^fail connection: it is a node of a cluster/],
  [{ evictionPolicy: 'volatile-lru' }, /^fail eviction: maxmemory-policy is volatile-lru: jobs/],
  [{ evictionPolicy: undefined }, /^warn eviction: .* cannot be read$/],
  [{ aofEnabled: false }, /^fail persistence: .* is off: /],
  [{ aofEnabled: false, configIsReadable: false }, /^warn persistence: /],
  [{ aofEnabled: undefined, configIsReadable: false }, /^warn persistence: /],
  [{ aofIsWritten: false }, /^fail persistence: .* cannot be written, so writes are refused$/],
  [{ usedMemoryBytes: 950, maxMemoryBytes: 1_000 }, /^warn memory: more than 90 % of maxmemory is in use$/],
  [{ clockAheadMs: -3_400 }, /^warn clock: its clock is 3\.4 s behind this machine's$/],
  [{ clockAheadMs: 90_000 }, /^fail clock: its clock is 90\.0 s ahead of this machine's$/],
])('%j', (difference, line) => {
  expect(amiss([{ ...good, ...difference }])).toEqual([expect.stringMatching(line)]);
});

test('what may not be asked is not judged', () => {
  const checks = judgeRedis([{ ...good, clockAheadMs: undefined }], false).map(({ check }) => check);
  expect(checks).not.toContain('clock');
});

test('of several servers those that are amiss are named', () => {
  const nodes = ['a:1', 'b:2', 'c:3'].map((address) => ({ ...good, address, mode: 'cluster' }));
  const [first = good, ...others] = nodes;
  expect(amiss([{ ...first, evictionPolicy: 'allkeys-lru' }, ...others], true)).toEqual([
    'fail eviction: maxmemory-policy is allkeys-lru on a:1: jobs are deleted when memory is full',
  ]);
});
