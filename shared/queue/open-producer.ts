import type { DatabaseSettings } from '../config/database-settings.ts';
import type { RedisSettings } from '../config/redis-settings.ts';
import type { QueueContract } from '../contracts/define-queue.ts';
import { openDatabase, type Database } from '../database/open-database.ts';
import { openLedger, type Ledger } from '../ledger/open-ledger.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import { connectRedis, type RedisConnection } from './connect-redis.ts';
import { createEnqueue, type Enqueue } from './enqueue.ts';
import { openDispatcher, type Dispatcher } from './open-dispatcher.ts';
import { RedisKeys } from './redis-keys.ts';

export interface ProducerOptions {
  redis: RedisSettings;
  database: DatabaseSettings;
  contracts: readonly QueueContract[];
  /** Names this process among all; at most 64 ASCII characters. */
  processId: string;
  log: Logger;
  keys?: RedisKeys;
  /** How long a command of Redis may take, where two seconds are not enough. */
  redisTimeoutMs?: number;
}

/** What every process needs that puts jobs into the fleet. */
export interface Producer {
  database: Database;
  ledger: Ledger;
  redis: RedisConnection;
  dispatcher: Dispatcher;
  enqueue: Enqueue;
  keys: RedisKeys;
}

const redisWaitMs = 1_000;

/**
 * Opens the ledger and a failing-fast way into Redis; closes with `resources`. Waits a moment for Redis, so that
 * the first job is not left to the relay, but does not need it.
 */
export async function openProducer(
  options: ProducerOptions,
  resources: AsyncDisposableStack,
): Promise<Producer> {
  const { contracts, log, keys = new RedisKeys() } = options;
  const database = resources.use(openDatabase(options.database, { log }));
  const ledger = resources.use(openLedger(database.db, options.processId));
  const redis = resources.use(connectRedis(options.redis, 'producer', log, options.redisTimeoutMs));
  const dispatcher = resources.use(openDispatcher({ connection: redis.client, contracts, keys, log }));
  // MySQL is asked already now, so that what is wrong with it is logged at the start and not with the first job.
  await Promise.all([redis.untilReady(redisWaitMs), database.isUp()]);
  return { database, ledger, redis, dispatcher, enqueue: createEnqueue(ledger, dispatcher, log), keys };
}
