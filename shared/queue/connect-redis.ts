import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../config/redis-settings.ts';
import type { Logger } from '../telemetry/create-logger.ts';

export type RedisClient = Redis | Cluster;

export interface RedisConnection extends AsyncDisposable {
  client: RedisClient;
  /** Waits until the connection is made, but no longer than this; a Redis that is away is no error. */
  untilReady(timeoutMs: number): Promise<void>;
  /** Whether Redis answers within two seconds; never throws. */
  isUp(): Promise<boolean>;
}

/**
 * - `producer`: fails fast when Redis is away, because the ledger has the job anyway
 * - `worker`: waits for Redis as long as it takes (BullMQ's blocking connections need that)
 * - `cache`: fails fast, and groups parallel commands into pipelines; whoever uses it bounds its time
 */
export type RedisRole = 'producer' | 'worker' | 'cache' | 'subscriber';

const commandTimeoutMs = 2_000;
const reconnectDelayMs = (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 1_000);

const roleOptions: Record<RedisRole, RedisOptions> = {
  producer: { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: commandTimeoutMs },
  worker: { maxRetriesPerRequest: null },
  // A time-out per command costs more than the command where thousands travel together; caches bound the whole.
  cache: { enableOfflineQueue: false, maxRetriesPerRequest: 1, enableAutoPipelining: true },
  subscriber: { maxRetriesPerRequest: null },
};

/** Connects in the background; a Redis that is away is tried again until the connection is disposed. */
export function connectRedis(settings: RedisSettings, role: RedisRole, log: Logger): RedisConnection {
  const client = createClient(settings, {
    ...roleOptions[role],
    retryStrategy: reconnectDelayMs,
    connectTimeout: 3_000,
  });
  let away = false;
  client.on('error', (error: Error) => {
    if (!away) log.warn({ err: error, role }, 'Redis is away; trying again until it is back');
    away = true;
  });
  client.on('ready', () => {
    if (away) log.info({ role }, 'Redis is back');
    away = false;
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
        return await Promise.race([client.ping().then(() => true), late]);
      } catch {
        return false;
      } finally {
        clearTimeout(timer);
      }
    },
    [Symbol.asyncDispose]() {
      client.disconnect();
      return Promise.resolve();
    },
  };
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
    ...(enableAutoPipelining === undefined ? {} : { enableAutoPipelining }),
    // Node certificates name hosts, so the announced names must not be resolved away.
    ...(settings.tls ? { dnsLookup: (address, callback) => callback(null, address) } : {}),
  };
  return new Cluster([...settings.nodes], clusterOptions);
}
