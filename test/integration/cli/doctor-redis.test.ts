import type { Environment } from '../../../shared/config/read-settings.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import { connectRedis, type RedisClient, type RedisConnection } from '../../../shared/queue/connect-redis.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { openDoctor, type Doctor } from '../../support/open-doctor.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';
import { openRedisCluster } from '../../support/open-redis-cluster.ts';
import { runPresage } from '../../support/run-presage.ts';
import { busyMachineMs } from '../../support/until.ts';

let servers: PrivateServers;
let redis: EmbeddedServer;
let connection: RedisConnection;
let client: RedisClient;
let doctor: Doctor;
beforeAll(async () => {
  servers = await openPrivateServers();
  redis = await servers.startRedis();
  connection = connectRedis(
    { kind: 'url', url: redis.url },
    'producer',
    createLogger({ process: 'test', level: 'silent' }),
  );
  client = connection.client;
  await connection.untilReady(busyMachineMs);
  doctor = await openDoctor(redis.url);
});
afterAll(async () => {
  await doctor[Symbol.asyncDispose]();
  await connection[Symbol.asyncDispose]();
  await servers[Symbol.asyncDispose]();
});

function redisAt(change: (url: URL) => void): Environment {
  const url = new URL(redis.url);
  change(url);
  return { REDIS_URL: url.href };
}

describe('Redis', () => {
  test('a policy that evicts', async () => {
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      const { exitCode, amiss } = await doctor.examine();
      expect(exitCode).toBe(1);
      expect(amiss).toEqual([
        'fail redis eviction: maxmemory-policy is allkeys-lru: jobs are deleted when memory is full',
      ]);
      const { output, messages } = await runPresage(['doctor'], doctor.environment);
      expect(output).toMatch(/^fail {2}redis eviction .*allkeys-lru.* Set maxmemory-policy noeviction/m);
      expect(messages).toMatch(/^1 of \d+ checks failed\.\n$/);
    } finally {
      await client.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });

  test('no append-only file', async () => {
    await client.config('SET', 'appendonly', 'no');
    try {
      const { exitCode, amiss } = await doctor.examine();
      expect(exitCode).toBe(1);
      expect(amiss).toEqual([
        expect.stringMatching(/^fail redis persistence: the append-only file \(AOF\) is off/),
      ]);
      // Where a provider keeps the configuration to itself, keeping the data is its business too.
      await client.call('ACL', 'SETUSER', 'tenant', 'on', '>word', '~*', '&*', '+@all', '-config');
      const managed = await doctor.examine(
        redisAt((url) => {
          url.username = 'tenant';
          url.password = 'word';
        }),
      );
      expect(managed.exitCode).toBe(0);
      expect(managed.amiss).toEqual([expect.stringMatching(/^warn redis persistence: no append-only file/)]);
    } finally {
      await client.config('SET', 'appendonly', 'yes');
    }
  });

  test('a user who may not ask', async () => {
    await client.call('ACL', 'SETUSER', 'curious', 'on', '>word', '~*', '&*', '+@all', '-info');
    const { exitCode, amiss } = await doctor.examine(
      redisAt((url) => {
        url.username = 'curious';
        url.password = 'word';
      }),
    );
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([expect.stringContaining('refuses the user commands that the fleet needs')]);
  });

  test.each<[string, (url: URL) => void, RegExp]>([
    ['a wrong password', (url) => (url.password = 'wrong-word'), /refuses the user or the password/],
    ['no password', (url) => (url.username = url.password = ''), /asks for a password, and none/],
    ['TLS where there is none', (url) => (url.protocol = 'rediss:'), /in time|closes|not speak TLS/],
    ['nobody there', (url) => (url.port = '1'), /nothing listens at 127\.0\.0\.1:1$/],
    ['an unknown host', (url) => (url.hostname = 'nowhere.invalid'), /has no address/],
    ['one that hangs', (url) => (url.port = String(doctor.silentPort)), /does not answer as Redis does/],
    ['a database that it does not have', (url) => (url.pathname = '/99'), /DB index is out of range/],
  ])('%s', async (_what, change, finding) => {
    const { exitCode, amiss, text } = await doctor.examine(redisAt(change));
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([expect.stringMatching(/^fail redis connection: /)]);
    expect(amiss[0]).toMatch(finding);
    for (const word of ['wrong-word', new URL(redis.url).password]) expect(text).not.toContain(word);
  });

  test('one that was stopped in mid-connection', async () => {
    process.kill(redis.pid ?? 0, 'SIGSTOP');
    try {
      const { exitCode, amiss } = await doctor.examine();
      expect(exitCode).toBe(1);
      expect(amiss).toEqual([expect.stringMatching(/^fail redis connection: /)]);
    } finally {
      process.kill(redis.pid ?? 0, 'SIGCONT');
    }
  });

  test('the caches have a Redis of their own, which may evict', async () => {
    await client.config('SET', 'maxmemory', '1gb');
    try {
      const full = await doctor.examine({ CACHE_REDIS_URL: redis.url });
      expect(full.exitCode).toBe(0);
      expect(full.amiss).toEqual([expect.stringContaining('warn cache redis eviction: ')]);
    } finally {
      await client.config('SET', 'maxmemory', '0');
    }
    expect(await doctor.examine({ CACHE_REDIS_URL: redis.url })).toMatchObject({ exitCode: 0, amiss: [] });
    const { exitCode, amiss } = await doctor.examine({ CACHE_REDIS_URL: 'redis://127.0.0.1:1' });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual(['fail cache redis connection: nothing listens at 127.0.0.1:1']);
  });

  test('each primary of a cluster', async () => {
    await using cluster = await openRedisCluster();
    const nodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    const [first = ''] = nodes;
    await using node = connectRedis(
      { kind: 'url', url: `redis://${first}` },
      'producer',
      createLogger({ process: 'test', level: 'silent' }),
    );
    await node.untilReady(busyMachineMs);
    await node.client.config('SET', 'maxmemory-policy', 'volatile-ttl');
    await Promise.all(cluster.nodes.map(({ ask }) => ask('config', 'set', 'appendonly', 'no')));
    const { exitCode, amiss } = await doctor.examine({ REDIS_URL: '', REDIS_CLUSTER_NODES: nodes.join(',') });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([
      expect.stringContaining(`volatile-ttl on ${first}: jobs`),
      expect.stringMatching(/AOF\) is off on (\S+, ){2}\S+: a restart/),
    ]);
    const single = await doctor.examine({ REDIS_URL: `redis://${first}` });
    expect(single.amiss[0]).toMatch(/^fail redis connection: it is a node of a cluster/);
  });
});
