import type { RedisServer } from '../../../shared/queue/inspect-redis.ts';
import { checkClock } from './check-clock.ts';
import { reporterFor, type Finding } from './finding.ts';
import { isAtLeast } from './is-at-least.ts';

const report = reporterFor('redis');
const oldestVersion = [6, 2] as const;
/** Above this part of `maxmemory` it will soon refuse new jobs. */
const fullAbove = 0.9;

function evicts({ evictionPolicy }: RedisServer): boolean {
  return evictionPolicy !== 'noeviction';
}

/**
 * What the servers tell of themselves, judged by what the queues need.
 *
 * @param asCluster whether the fleet is configured to use them as a cluster
 */
export function judgeRedis(servers: readonly RedisServer[], asCluster: boolean): Finding[] {
  /** Those of the servers for which it holds, as the end of a sentence; `undefined` when it holds for none. */
  function where(holds: (server: RedisServer) => boolean): string | undefined {
    const found = servers.filter(holds).map(({ address }) => address);
    if (found.length === 0) return undefined;
    return servers.length === 1 ? '' : ` on ${found.join(', ')}`;
  }

  function connection(): Finding {
    const replica = where(({ role }) => role === 'slave');
    if (replica !== undefined) {
      return report.fail(
        'connection',
        `it is a replica${replica}: it takes no writes`,
        'Name the primary instead.',
      );
    }
    if (!asCluster && servers.some(({ mode }) => mode === 'cluster')) {
      return report.fail(
        'connection',
        'it is a node of a cluster: it holds a part of the queues only',
        'Set REDIS_CLUSTER_NODES instead of REDIS_URL or REDIS_HOST.',
      );
    }
    return report.ok('connection', `${servers.map(({ address }) => address).join(', ')} answers`);
  }

  function version(): Finding {
    const versions = [...new Set(servers.map((server) => server.version))].join(', ');
    return servers.every((server) => isAtLeast(server.version, oldestVersion))
      ? report.ok('version', versions)
      : report.fail('version', `${versions} is too old`, `Use Redis ${oldestVersion.join('.')} or newer.`);
  }

  function eviction(): Finding {
    const unknown = where(({ evictionPolicy }) => evictionPolicy === undefined);
    if (unknown !== undefined) {
      return report.warn(
        'eviction',
        `maxmemory-policy cannot be read${unknown}`,
        'Make sure that it is noeviction, or jobs are deleted when memory is full.',
      );
    }
    const evicting = where(evicts);
    const policies = [...new Set(servers.filter(evicts).map((server) => server.evictionPolicy))].join(', ');
    if (evicting === undefined) return report.ok('eviction', 'maxmemory-policy is noeviction');
    return report.fail(
      'eviction',
      `maxmemory-policy is ${policies}${evicting}: jobs are deleted when memory is full`,
      'Set maxmemory-policy noeviction (CONFIG SET, and in its configuration). Caches that may be evicted ' +
        'belong into a Redis of their own: CACHE_REDIS_URL.',
    );
  }

  function persistence(): Finding {
    const unwritten = where(({ aofIsWritten }) => !aofIsWritten);
    if (unwritten !== undefined) {
      return report.fail(
        'persistence',
        `the append-only file (AOF) cannot be written${unwritten}, so writes are refused`,
        'Is its disk full? Its log says more.',
      );
    }
    const off = where(({ aofEnabled, configIsReadable }) => aofEnabled !== true && configIsReadable);
    if (off !== undefined) {
      return report.fail(
        'persistence',
        `the append-only file (AOF) is off${off}: a restart forgets every job, until the relay has dispatched it again`,
        'Set appendonly yes (CONFIG SET, and in its configuration).',
      );
    }
    const unclear = where(({ aofEnabled }) => aofEnabled !== true);
    if (unclear !== undefined) {
      return report.warn(
        'persistence',
        `no append-only file (AOF) as far as can be seen, and its configuration cannot be read${unclear}`,
        'Make sure that this managed Redis keeps its data over a restart (AOF, or replicas in several zones).',
      );
    }
    return report.ok('persistence', 'the append-only file (AOF) is on');
  }

  function memory(): Finding[] {
    const full = where(
      ({ usedMemoryBytes, maxMemoryBytes }) =>
        maxMemoryBytes > 0 && usedMemoryBytes > fullAbove * maxMemoryBytes,
    );
    if (full === undefined) return [];
    const mend =
      'Raise maxmemory, or find out what fills it. Accepted jobs are safe in the ledger meanwhile.';
    return [report.warn('memory', `more than ${fullAbove * 100} % of maxmemory is in use${full}`, mend)];
  }

  const ahead = servers.flatMap(({ clockAheadMs }) => (clockAheadMs === undefined ? [] : [clockAheadMs]));
  const farthest = ahead.sort((one, other) => Math.abs(other) - Math.abs(one))[0];
  return [
    connection(),
    version(),
    eviction(),
    persistence(),
    ...memory(),
    ...(farthest === undefined ? [] : [checkClock(report, farthest)]),
  ];
}
