import { randomBytes } from 'node:crypto';
import type { RedisSettings } from '../../shared/config/redis-settings.ts';
import type { DatabaseSettings } from '../../shared/config/database-settings.ts';
import type { QueueContract } from '../../shared/contracts/define-queue.ts';
import { watchRedisMemory } from '../../shared/queue/redis-memory.ts';
import { connectRedis } from '../../shared/queue/connect-redis.ts';
import type { Handlers } from '../../shared/queue/handlers.ts';
import { openConsumer, type Consumer } from '../../shared/queue/open-consumer.ts';
import { openProducer, type Producer } from '../../shared/queue/open-producer.ts';
import { openResultChannel, type ResultChannel } from '../../shared/queue/open-result-channel.ts';
import { RedisKeys } from '../../shared/queue/redis-keys.ts';
import { createLogger, type Logger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../shared/telemetry/create-metrics.ts';
import { withoutTracing, type Tracing } from '../../shared/telemetry/open-tracing.ts';
import { openRelay } from '../../producers/relay/open-relay.ts';
import { createTestDatabase } from './create-test-database.ts';
import { busyMachineMs } from './until.ts';

/** The fleet's real parts in the test's own process, on a database and Redis names of their own. */
export interface TestFleet extends Producer, AsyncDisposable {
  results: ResultChannel;
  metrics: Metrics;
  tracing: Tracing;
  log: Logger;
  logLines: string[];
  redisSettings: RedisSettings;
  databaseSettings: DatabaseSettings;
  consume<Contract extends QueueContract>(
    contract: Contract,
    handlers: Handlers<Contract>,
    options?: ConsumeTestOptions,
  ): Consumer;
  startRelay(): AsyncDisposable;
}

export interface ConsumeTestOptions {
  concurrency?: number;
  finishWithinMs?: number;
  stalledAfterMs?: number;
  storeIsUp?: () => Promise<boolean>;
}

export function testRedisSettings(): RedisSettings {
  const url = process.env['TEST_REDIS_URL'];
  if (!url) throw new Error('TEST_REDIS_URL is not set: run the tests through Jest');
  return { kind: 'url', url };
}

export async function openTestFleet(
  contracts: readonly QueueContract[],
  redisSettings: RedisSettings = testRedisSettings(),
  tracing: Tracing = withoutTracing,
): Promise<TestFleet> {
  const resources = new AsyncDisposableStack();
  const database = resources.use(await createTestDatabase());
  const logLines: string[] = [];
  const log = createLogger({ process: 'test', level: 'debug', write: (line) => logLines.push(line) });
  const metrics = resources.use(createMetrics());
  const keys = new RedisKeys(`test-${randomBytes(6).toString('hex')}`);
  const processId = randomBytes(8).toString('hex');
  const producer = await openProducer(
    {
      redis: redisSettings,
      database: database.settings,
      contracts,
      processId,
      log,
      keys,
      redisTimeoutMs: busyMachineMs,
    },
    resources,
  );
  const subscribing = resources.use(connectRedis(redisSettings, 'subscriber', log));
  // What cannot be dispatched is left to the relay, which most tests do without; and a message is heard once.
  for (const redis of [producer.redis, subscribing]) await redis.untilReady(busyMachineMs);
  const subscriber = subscribing.client;
  const name = keys.resultChannel(processId);
  const results = resources.use(openResultChannel({ subscriber, name, ledger: producer.ledger, log }));

  return {
    ...producer,
    results,
    metrics,
    tracing,
    log,
    logLines,
    redisSettings,
    databaseSettings: database.settings,
    consume(contract, handlers, options = {}) {
      const { concurrency = 10, finishWithinMs = 2_000, stalledAfterMs = 30_000, storeIsUp } = options;
      const connection = resources.use(connectRedis(redisSettings, 'worker', log)).client;
      return resources.use(
        openConsumer({
          contract,
          handlers,
          store: producer.ledger,
          dispatcher: producer.dispatcher,
          connection,
          publisher: producer.redis.client,
          subscriber,
          keys,
          concurrency,
          storeIsUp: storeIsUp ?? (() => producer.database.isUp()),
          finishWithinMs,
          stalledAfterMs,
          log,
          metrics,
          tracing,
        }),
      );
    },
    startRelay() {
      const queues = contracts.map((contract) => contract.name);
      const redisMemory = watchRedisMemory(producer.redis.client, queues, keys);
      const { db } = producer.database;
      return resources.use(openRelay({ ...producer, db, redisMemory, queues, log }));
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
