import { randomBytes } from 'node:crypto';
import { Queue } from 'bullmq';
import pMap from 'p-map';
import { v7 as uuid } from 'uuid';
import { connectRedis } from '../shared/queue/connect-redis.ts';
import { redisRetention } from '../shared/queue/open-dispatcher.ts';
import { openProducer } from '../shared/queue/open-producer.ts';
import { RedisKeys } from '../shared/queue/redis-keys.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import type { BenchmarkEnvironment } from './benchmark-report.ts';
import { preciseNow, scaleQueue, type ScaleTask } from './scale-messages.ts';
import { startScaleProcesses, type ScaleProcesses } from './start-scale-processes.ts';

export interface ScaleRoomOptions extends Pick<ScaleTask, 'kind' | 'queues' | 'concurrency' | 'workMs'> {
  processes: number;
}

export interface AddOptions {
  /** 0, which is served first, when left out. */
  priority?: number;
  /** Whether the processes tell how long each job has waited. */
  timed?: boolean;
}

/** Queues of their own, and the processes that consume them. */
export interface ScaleRoom {
  processes: ScaleProcesses;
  add(queue: string, jobs: number, options?: AddOptions): Promise<void>;
  /** Adds jobs that nobody takes before they are released; what was done before is forgotten. */
  fill(queue: string, jobs: number, options?: AddOptions): Promise<void>;
  /** Lets all processes take what is there. Answers when that was, in milliseconds since the epoch. */
  release(): Promise<number>;
}

const addedAtOnce = 200;

/** Opens queues that nobody else uses, with so many processes behind them; all of it goes with `resources`. */
export async function openScaleRoom(
  { redis, database, processEnvironment }: BenchmarkEnvironment,
  { processes: count, ...options }: ScaleRoomOptions,
  resources: AsyncDisposableStack,
): Promise<ScaleRoom> {
  if (redis.kind !== 'url') throw new Error('the benchmark needs a Redis that is one server');
  const namespace = `bench-${randomBytes(4).toString('hex')}`;
  const keys = new RedisKeys(namespace);
  const log = createLogger({ process: 'bench', level: 'error' });
  const contracts = new Map(options.queues.map((name) => [name, scaleQueue(name)]));
  const producer = await openProducer(
    { redis, database, contracts: [...contracts.values()], processId: uuid(), log, keys },
    resources,
  );
  const connection = resources.use(connectRedis(redis, 'worker', log)).client;
  const queues = new Map(
    options.queues.map((name) => [
      name,
      new Queue(name, {
        connection,
        prefix: keys.prefix(name),
        skipVersionCheck: true,
        streams: { events: { maxLen: 1_000 } },
      }),
    ]),
  );
  resources.defer(async () => {
    for (const queue of queues.values()) {
      await queue.obliterate({ force: true });
      await queue.close();
    }
    await producer.database.db.deleteFrom('jobs').where('queue', 'in', options.queues).execute();
  });

  async function addOne(name: string, { priority = 0, timed = false }: AddOptions): Promise<void> {
    const payload = timed ? { sentAtMs: preciseNow() } : {};
    const contract = contracts.get(name);
    if (options.kind === 'fleet' && contract) {
      await producer.enqueue.enqueue(contract, payload, { priority });
    } else {
      await queues.get(name)?.add(name, payload, {
        ...redisRetention,
        jobId: uuid(),
        ...(priority > 0 ? { priority } : {}),
      });
    }
  }

  async function add(name: string, jobs: number, addOptions: AddOptions = {}): Promise<void> {
    await pMap(Array.from({ length: jobs }), () => addOne(name, addOptions), { concurrency: addedAtOnce });
  }

  const task = { ...options, redisUrl: redis.url, database, namespace };
  const processes = await startScaleProcesses(task, count, processEnvironment, resources);
  return {
    processes,
    add,
    async fill(name, jobs, addOptions) {
      await queues.get(name)?.pause();
      await add(name, jobs, addOptions);
      processes.forget();
    },
    async release() {
      const releasedAtMs = preciseNow();
      await Promise.all([...queues.values()].map((queue) => queue.resume()));
      return releasedAtMs;
    },
  };
}
