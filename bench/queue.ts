import { randomBytes } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import { defineQueue } from '../shared/contracts/define-queue.ts';
import { toDispatchable } from '../shared/ledger/dispatchable-job.ts';
import { newRow } from '../shared/ledger/accept-jobs.ts';
import { openLedger } from '../shared/ledger/open-ledger.ts';
import { openDatabase } from '../shared/database/open-database.ts';
import { connectRedis } from '../shared/queue/connect-redis.ts';
import { createEnqueue } from '../shared/queue/enqueue.ts';
import type { JobStore } from '../shared/queue/job-store.ts';
import { lockDurationMs, maxStalledCount, stalledCheckMs } from '../shared/queue/lock-settings.ts';
import { openConsumer } from '../shared/queue/open-consumer.ts';
import { openDispatcher, redisRetention } from '../shared/queue/open-dispatcher.ts';
import { RedisKeys } from '../shared/queue/redis-keys.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import { createMetrics } from '../shared/telemetry/create-metrics.ts';
import { withoutTracing } from '../shared/telemetry/open-tracing.ts';
import type { BenchmarkEnvironment, BenchmarkReport, Figure } from './benchmark-report.ts';
import { median } from './median.ts';

const noop = defineQueue({
  name: 'noop',
  payload: z.object({ number: z.int() }),
  result: z.object({ number: z.int() }),
  attempts: 3,
  deadlineMs: 60_000,
  lane: 'interactive',
});

const jobsPerRound = 10_000;
const rounds = 5;

/** The fleet's no-op job against bare BullMQ: produced and consumed in this process, jobs per second. */
export async function benchQueue(environment: BenchmarkEnvironment): Promise<BenchmarkReport> {
  const figures: Figure[] = [];
  for (const concurrency of [50, 200]) {
    const rates = { bare: [] as number[], room: [] as number[], ledger: [] as number[] };
    await runBare(environment, concurrency, jobsPerRound / 5);
    await runFleet(environment, concurrency, jobsPerRound / 5, { withLedger: true });
    for (let round = 0; round < rounds; round += 1) {
      rates.bare.push(await runBare(environment, concurrency, jobsPerRound));
      rates.room.push(await runFleet(environment, concurrency, jobsPerRound, { withLedger: false }));
      rates.ledger.push(await runFleet(environment, concurrency, jobsPerRound, { withLedger: true }));
    }
    const control = median(rates.bare);
    const ratio = (values: number[]) =>
      median(values.map((value, round) => value / (rates.bare[round] ?? control)));
    figures.push(
      {
        name: `queue room alone, concurrency ${concurrency}`,
        value: median(rates.room),
        unit: 'jobs/s',
        control,
        ratio: ratio(rates.room),
        aim: 'at least 0.85',
      },
      {
        name: `accept, queue and settle, concurrency ${concurrency}`,
        value: median(rates.ledger),
        unit: 'jobs/s',
        control,
        ratio: ratio(rates.ledger),
        aim: 'at least 0.6',
      },
    );
  }
  return {
    name: 'queue',
    figures,
    notes: [
      `control: bare BullMQ queue and worker; ${jobsPerRound} no-op jobs a round, median of ${rounds} rounds`,
    ],
  };
}

/** Adds jobs, so many at a time, until all are added. */
async function produce(
  count: number,
  concurrency: number,
  add: (number: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  async function producer(): Promise<void> {
    while (next < count) await add(next++);
  }
  await Promise.all(Array.from({ length: concurrency }, producer));
}

async function runBare({ redis }: BenchmarkEnvironment, concurrency: number, count: number): Promise<number> {
  const log = createLogger({ process: 'bench', level: 'error' });
  await using resources = new AsyncDisposableStack();
  const keys = new RedisKeys(`bench-${randomBytes(4).toString('hex')}`);
  const prefix = keys.prefix(noop.name);
  const queue = new Queue(noop.name, {
    connection: resources.use(connectRedis(redis, 'worker', log)).client,
    prefix,
    skipVersionCheck: true,
    streams: { events: { maxLen: 1_000 } },
  });
  resources.defer(() => queue.close());
  await queue.waitUntilReady();
  let done = 0;
  const finished = Promise.withResolvers<void>();
  const worker = new Worker(
    noop.name,
    () => {
      done += 1;
      if (done === count) finished.resolve();
      return Promise.resolve();
    },
    {
      connection: resources.use(connectRedis(redis, 'worker', log)).client,
      prefix,
      concurrency,
      lockDuration: lockDurationMs,
      stalledInterval: stalledCheckMs,
      maxStalledCount,
      skipVersionCheck: true,
    },
  );
  await worker.waitUntilReady();

  const startedAt = performance.now();
  await produce(count, concurrency, (number) =>
    queue.add(noop.name, { number }, { ...redisRetention, jobId: uuid(), attempts: noop.attempts }),
  );
  await finished.promise;
  const seconds = (performance.now() - startedAt) / 1_000;
  await worker.close();
  await queue.obliterate({ force: true });
  return count / seconds;
}

async function runFleet(
  { redis, database: databaseSettings }: BenchmarkEnvironment,
  concurrency: number,
  count: number,
  { withLedger }: { withLedger: boolean },
): Promise<number> {
  const log = createLogger({ process: 'bench', level: 'error' });
  await using resources = new AsyncDisposableStack();
  const metrics = resources.use(createMetrics());
  const keys = new RedisKeys(`bench-${randomBytes(4).toString('hex')}`);
  const database = resources.use(openDatabase(databaseSettings));
  const ledger = resources.use(openLedger(database.db, uuid()));
  const producer = resources.use(connectRedis(redis, 'producer', log));
  const dispatcher = resources.use(
    openDispatcher({ connection: producer.client, contracts: [noop], keys, log }),
  );
  const enqueue = createEnqueue(ledger, dispatcher, log);
  await new Promise<void>((resolve) => void producer.client.once('ready', () => resolve()));

  let done = 0;
  const finished = Promise.withResolvers<void>();
  function settled(): void {
    done += 1;
    if (done === count) finished.resolve();
  }
  const store: JobStore = {
    ...ledger,
    async settle(settlement) {
      const outcome = withLedger ? await ledger.settle(settlement) : { won: true, finishedParentId: null };
      settled();
      return outcome;
    },
  };
  const consumer = openConsumer({
    contract: noop,
    handlers: { start: (payload) => Promise.resolve(payload) },
    store,
    dispatcher,
    connection: resources.use(connectRedis(redis, 'worker', log)).client,
    publisher: producer.client,
    subscriber: resources.use(connectRedis(redis, 'subscriber', log)).client,
    keys,
    concurrency,
    storeIsUp: () => Promise.resolve(true),
    finishWithinMs: 5_000,
    log,
    metrics,
    tracing: withoutTracing,
  });

  const startedAt = performance.now();
  await produce(count, concurrency, (number) =>
    withLedger
      ? enqueue.enqueue(noop, { number })
      : dispatcher.dispatch([
          toDispatchable(newRow({ queue: noop.name, payload: JSON.stringify({ number }), priority: 0 })),
        ]),
  );
  await finished.promise;
  const seconds = (performance.now() - startedAt) / 1_000;
  await consumer[Symbol.asyncDispose]();
  const queue = new Queue(noop.name, { connection: producer.client, prefix: keys.prefix(noop.name) });
  await queue.obliterate({ force: true });
  await queue.close();
  await database.db.deleteFrom('jobs').where('queue', '=', noop.name).execute();
  return count / seconds;
}
