import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'bullmq';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import { connectRedis } from '../shared/queue/connect-redis.ts';
import { lockDurationMs, maxStalledCount, stalledCheckMs } from '../shared/queue/lock-settings.ts';
import { openConsumer } from '../shared/queue/open-consumer.ts';
import { openProducer } from '../shared/queue/open-producer.ts';
import { RedisKeys } from '../shared/queue/redis-keys.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import { createMetrics } from '../shared/telemetry/create-metrics.ts';
import { withoutTracing } from '../shared/telemetry/open-tracing.ts';
import { preciseNow, scaleQueue, scaleTaskSchema, type QueueDone, type ScaleTask } from './scale-messages.ts';

// One worker process of the benchmark `scale`. It is told its task over IPC, tells what it has done the same way, and
// ends with the channel.

const reportEveryMs = 20;

/** Consumes as every worker of the fleet does. */
async function consumeAsFleet(task: ScaleTask, resources: AsyncDisposableStack): Promise<void> {
  const log = createLogger({ process: 'bench', level: 'error' });
  const redis = { kind: 'url', url: task.redisUrl } as const;
  const contracts = task.queues.map(scaleQueue);
  const metrics = resources.use(createMetrics());
  const keys = new RedisKeys(task.namespace);
  const producer = await openProducer(
    { redis, database: task.database, contracts, processId: uuid(), log, keys },
    resources,
  );
  const subscriber = resources.use(connectRedis(redis, 'subscriber', log));
  for (const contract of contracts) {
    const { settle } = producer.ledger;
    resources.use(
      openConsumer({
        contract,
        handlers: {
          async start({ sentAtMs }, { signal }) {
            noteTaken(contract.name, sentAtMs);
            if (task.workMs > 0) await delay(task.workMs, undefined, { signal });
            return {};
          },
        },
        store: {
          ...producer.ledger,
          async settle(settlement) {
            const outcome = await settle(settlement);
            if (outcome.won) noteDone(contract.name);
            return outcome;
          },
        },
        dispatcher: producer.dispatcher,
        connection: resources.use(connectRedis(redis, 'worker', log)).client,
        publisher: producer.redis.client,
        subscriber: subscriber.client,
        keys,
        concurrency: task.concurrency,
        storeIsUp: () => producer.database.isUp(),
        finishWithinMs: 1_000,
        log,
        metrics,
        tracing: withoutTracing,
      }),
    );
  }
}

/** The control: BullMQ's worker with the fleet's lock settings. */
async function consumeBare(task: ScaleTask, resources: AsyncDisposableStack): Promise<void> {
  const log = createLogger({ process: 'bench', level: 'error' });
  const keys = new RedisKeys(task.namespace);
  for (const queue of task.queues) {
    const connection = resources.use(connectRedis({ kind: 'url', url: task.redisUrl }, 'worker', log));
    const worker = new Worker(
      queue,
      async () => {
        if (task.workMs > 0) await delay(task.workMs);
        noteDone(queue);
      },
      {
        connection: connection.client,
        prefix: keys.prefix(queue),
        concurrency: task.concurrency,
        lockDuration: lockDurationMs,
        stalledInterval: stalledCheckMs,
        maxStalledCount,
        skipVersionCheck: true,
      },
    );
    resources.defer(() => worker.close());
    await worker.waitUntilReady();
  }
}

let unreported: Record<string, QueueDone> = {};

function ofQueue(queue: string): QueueDone {
  return (unreported[queue] ??= { jobs: 0, lastAtMs: 0, waitsMs: [] });
}

function noteTaken(queue: string, sentAtMs: number | undefined): void {
  if (sentAtMs !== undefined) ofQueue(queue).waitsMs.push(preciseNow() - sentAtMs);
}

function noteDone(queue: string): void {
  const done = ofQueue(queue);
  done.jobs += 1;
  done.lastAtMs = preciseNow();
}

function report(): void {
  if (!process.connected) return;
  process.send?.(unreported);
  unreported = {};
}

const ended = once(process, 'disconnect');
const [task] = z
  .tuple([scaleTaskSchema])
  .rest(z.unknown())
  .parse(await once(process, 'message'));
await using resources = new AsyncDisposableStack();
await (task.kind === 'fleet' ? consumeAsFleet : consumeBare)(task, resources);
report();
const reporting = setInterval(() => {
  if (Object.keys(unreported).length > 0) report();
}, reportEveryMs);
await ended;
clearInterval(reporting);
