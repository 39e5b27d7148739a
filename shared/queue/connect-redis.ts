import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../config/redis-settings.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import { redisAddress, redisErrorCode, redisProblem } from './redis-problem.ts';

export type RedisClient = Redis | Cluster;

export interface RedisConnection extends AsyncDisposable {
  client: RedisClient;
  /** Waits until the connection is made, but no longer than this; a Redis that is away is no error. */
  untilReady(timeoutMs: number): Promise<void>;
  /** Whether Redis answers in the time of a command, and a cluster that it is whole; never throws. */
  isUp(): Promise<boolean>;
}

/**
 * - `producer`: fails fast when Redis is away, because the ledger has the job anyway
 * - `worker`: waits for Redis as long as it takes (BullMQ's blocking connections need that)
 * - `cache`: fails fast, and groups parallel commands into pipelines; whoever uses it bounds its time
 */
export type RedisRole = 'producer' | 'worker' | 'cache' | 'subscriber';

const defaultCommandTimeoutMs = 2_000;
const reconnectDelayMs = (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 1_000);

const roleOptions: Record<RedisRole, RedisOptions> = {
  producer: { enableOfflineQueue: false, maxRetriesPerRequest: 1 },
  worker: { maxRetriesPerRequest: null },
  // A time-out per command costs more than the command where thousands travel together; caches bound the whole.
  cache: { enableOfflineQueue: false, maxRetriesPerRequest: 1, enableAutoPipelining: true },
  subscriber: { maxRetriesPerRequest: null },
};

/**
 * Connects in the background; a Redis that is away is tried again until the connection is disposed.
 *
 * @param commandTimeoutMs how long a producer's command may take
 */
export function connectRedis(
  settings: RedisSettings,
  role: RedisRole,
  log: Logger,
  commandTimeoutMs = defaultCommandTimeoutMs,
): RedisConnection {
  const client = createClient(settings, {
    ...roleOptions[role],
    ...(role === 'producer' ? { commandTimeout: commandTimeoutMs } : {}),
    retryStrategy: reconnectDelayMs,
    connectTimeout: 3_000,
    // After a failover behind one address: the old primary has become a replica.
    reconnectOnError: (error) => (redisErrorCode(error) === 'READONLY' ? 2 : false),
  });
  // Every queue of a process listens. Not 0 for "any number": BullMQ adds to it.
  client.setMaxListeners(100);
  /** What was said of the present outage. */
  const told = new Set<string>();
  let disposed = false;
  function tell(finding: string, error?: Error): void {
    if (told.has(finding)) return;
    told.add(finding);
    const advice = 'Redis is away; trying again until it is back (`presage doctor` says how to mend it)';
    log.warn({ ...(error ? { err: error } : {}), role, finding }, advice);
  }
  client.on('error', (error: Error) => tell(redisProblem(error, settings).finding, error));
  client.on('close', () => {
    // The client of a cluster closes without an error when the nodes answer, but the cluster is not whole.
    if (settings.kind === 'cluster' && !disposed && told.size === 0) {
      tell(`the cluster of ${redisAddress(settings)} is away, or not whole`);
    }
  });
  client.on('ready', () => {
    if (told.size > 0) log.info({ role }, 'Redis is back');
    told.clear();
  });
  return {
    client,
    async untilReady(timeoutMs) {
      if (client.status === 'ready') return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      client.once('ready', resolve);
      await promise;
      clearTimeout(timer);
      client.off('ready', resolve);
    },
    async isUp() {
      const { promise: late, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => resolve(false), commandTimeoutMs);
      try {
        return await Promise.race([answers(client), late]);
      } catch {
        return false;
      } finally {
        clearTimeout(timer);
      }
    },
    [Symbol.asyncDispose]() {
      disposed = true;
      client.disconnect();
      return Promise.resolve();
    },
  };
}

async function answers(client: RedisClient): Promise<boolean> {
  if (!(client instanceof Cluster)) return (await client.ping()) === 'PONG';
  return (await client.cluster('INFO')).includes('cluster_state:ok');
}

function createClient(settings: RedisSettings, options: RedisOptions): RedisClient {
  if (settings.kind === 'url') return new Redis(settings.url, options);
  const credentials: RedisOptions = {
    ...(settings.username ? { username: settings.username } : {}),
    ...(settings.password ? { password: settings.password } : {}),
    ...(settings.tls ? { tls: {} } : {}),
  };
  if (settings.kind === 'server') {
    return new Redis({ ...options, ...credentials, host: settings.host, port: settings.port });
  }
  const { enableOfflineQueue, enableAutoPipelining, ...nodeOptions } = options;
  const clusterOptions: ClusterOptions = {
    redisOptions: { ...nodeOptions, ...credentials },
    clusterRetryStrategy: reconnectDelayMs,
    ...(enableOfflineQueue === undefined ? {} : { enableOfflineQueue }),
    // Node certificates name hosts, so the announced names must not be resolved away.
    ...(settings.tls ? { dnsLookup: (address, callback) => callback(null, address) } : {}),
  };
  const cluster = new Cluster([...settings.nodes], clusterOptions);
  if (enableAutoPipelining) {
    // Not before: for a slot that no node has, a command that had waited for the slots would throw outside of any
    // promise, and end the process (pinned by the test "a cluster that lacks a part").
    cluster.once('ready', () => (cluster.options.enableAutoPipelining = true));
  }
  return cluster;
}
