import { Queue, type JobsOptions } from 'bullmq';
import type { QueueContract } from '../contracts/define-queue.ts';
import type { DispatchableJob } from '../ledger/dispatchable-job.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { RedisClient } from './connect-redis.ts';
import { redisJobId, sealEnvelope, type JobEnvelope } from './job-envelope.ts';
import { maxStalledCount } from './lock-settings.ts';
import type { RedisKeys } from './redis-keys.ts';
import { redisErrorCode } from './redis-problem.ts';

/**
 * How Redis sees a job: `lost` when it does not know it, `crashed` when BullMQ gave it up because its
 * workers died again and again.
 */
export type RedisJobState = 'waiting' | 'active' | 'delayed' | 'finished' | 'crashed' | 'lost';

export interface JobProgress {
  done: number;
  total: number;
}

export interface DispatchOptions {
  /** The channel on which the caller waits for the result. */
  replyTo?: string;
  /** Whether the job may have been dispatched before. */
  again?: boolean;
}

/** Puts jobs into Redis and looks at them there. Methods reject when Redis is away. */
export interface Dispatcher extends AsyncDisposable {
  dispatch(jobs: readonly DispatchableJob[], options?: DispatchOptions): Promise<void>;
  stateOf(job: Pick<DispatchableJob, 'id' | 'queue' | 'generation' | 'phase'>): Promise<RedisJobState>;
  progressOf(
    job: Pick<DispatchableJob, 'id' | 'queue' | 'generation' | 'phase'>,
  ): Promise<JobProgress | null>;
  /** Forgets a job that is not active. */
  remove(job: Pick<DispatchableJob, 'id' | 'queue' | 'generation' | 'phase'>): Promise<void>;
  /** The ledger ids of the jobs that workers have in hand. */
  activeJobIds(queue: string): Promise<string[]>;
  /** Lets no worker take a job of the queue, or lets them again. Redis keeps this: wiped, it is forgotten. */
  setPaused(queue: string, paused: boolean): Promise<void>;
  isPaused(queue: string): Promise<boolean>;
  /**
   * How many workers are connected and wait for the queue's jobs or have some in hand; `null` where Redis does not let
   * its user see who is connected (CLIENT LIST is one of its dangerous commands).
   */
  workers(queue: string): Promise<number | null>;
  depth(queue: string): Promise<Record<'waiting' | 'active' | 'delayed' | 'failed', number>>;
  /** How many of the delayed jobs have come due: no worker had a free hand to look since. */
  countDueDelayed(queue: string): Promise<number>;
}

/** What finished jobs leave in Redis, for Bull Board; the ledger keeps them all. */
export const redisRetention = {
  removeOnComplete: { age: 3_600, count: 1_000 },
  removeOnFail: { age: 7 * 24 * 3_600, count: 5_000 },
} satisfies JobsOptions;

/** How many events of a queue Redis keeps, about: nobody of the fleet reads them. */
export const eventsKept = 1_000;

export interface DispatcherOptions {
  connection: RedisClient;
  contracts: readonly QueueContract[];
  keys: RedisKeys;
  log: Logger;
}

export function openDispatcher({ connection, contracts, keys, log }: DispatcherOptions): Dispatcher {
  const queues = new Map<string, { queue: Queue<JobEnvelope>; attempts: number }>();
  for (const contract of contracts) {
    const queue = new Queue<JobEnvelope>(contract.name, {
      connection,
      prefix: keys.prefix(contract.name),
      skipWaitingForReady: true,
      skipVersionCheck: true,
      streams: { events: { maxLen: eventsKept } },
    });
    queue.on('error', (error) =>
      log.debug({ err: error, queue: contract.name }, 'a queue connection failed'),
    );
    queues.set(contract.name, { queue, attempts: contract.attempts });
  }

  function queueOf(name: string): { queue: Queue<JobEnvelope>; attempts: number } {
    const known = queues.get(name);
    if (!known) throw new Error(`the queue ${name} is not in the catalogue`);
    return known;
  }

  return {
    async dispatch(jobs, options = {}) {
      const [only] = jobs;
      if (jobs.length === 1 && only) {
        const { queue, attempts } = queueOf(only.queue);
        const { name, data, opts } = addition(only, attempts, options);
        await queue.add(name, data, opts);
        return;
      }
      for (const [name, ofQueue] of Map.groupBy(jobs, (job) => job.queue)) {
        const { queue, attempts } = queueOf(name);
        await queue.addBulk(ofQueue.map((job) => addition(job, attempts, options)));
      }
    },

    async stateOf(job) {
      const { queue } = queueOf(job.queue);
      const state = await queue.getJobState(redisJobId(job));
      if (state === 'unknown') return 'lost';
      if (state === 'active' || state === 'delayed') return state;
      if (state !== 'completed' && state !== 'failed') return 'waiting';
      const finished = await queue.getJob(redisJobId(job));
      return (finished?.stalledCounter ?? 0) > maxStalledCount ? 'crashed' : 'finished';
    },

    async progressOf(job) {
      const found = await queueOf(job.queue).queue.getJob(redisJobId(job));
      const progress: unknown = found?.progress;
      if (typeof progress !== 'object' || progress === null) return null;
      if (!('done' in progress) || !('total' in progress)) return null;
      const { done, total } = progress;
      return typeof done === 'number' && typeof total === 'number' ? { done, total } : null;
    },

    async remove(job) {
      await queueOf(job.queue).queue.remove(redisJobId(job));
    },

    async activeJobIds(queue) {
      const active = await queueOf(queue).queue.getActive(0, 999);
      return active.flatMap((job) => (job?.data?.id ? [job.data.id] : []));
    },

    async setPaused(queue, paused) {
      await (paused ? queueOf(queue).queue.pause() : queueOf(queue).queue.resume());
    },

    async isPaused(queue) {
      return queueOf(queue).queue.isPaused();
    },

    async workers(queue) {
      try {
        return await queueOf(queue).queue.getWorkersCount();
      } catch (error) {
        if (redisErrorCode(error) === 'NOPERM') return null;
        throw error;
      }
    },

    async depth(queue) {
      const counts = await queueOf(queue).queue.getJobCounts(
        'wait',
        'prioritized',
        'active',
        'delayed',
        'failed',
      );
      return {
        waiting: (counts['wait'] ?? counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0),
        active: counts['active'] ?? 0,
        delayed: counts['delayed'] ?? 0,
        failed: counts['failed'] ?? 0,
      };
    },

    async countDueDelayed(queue) {
      return queueOf(queue).queue.getDelayedCount(Date.now());
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([...queues.values()].map(({ queue }) => queue.close()));
    },
  };
}

/** A job as BullMQ takes it. */
function addition(job: DispatchableJob, attempts: number, options: DispatchOptions) {
  const delay = Math.max(0, job.dueAt.getTime() - Date.now());
  const opts: JobsOptions = {
    ...redisRetention,
    jobId: redisJobId(job),
    attempts: Math.max(1, attempts - job.attempts),
    backoff: { type: 'custom' },
    ...(job.priority > 0 ? { priority: job.priority } : {}),
    ...(delay > 0 ? { delay } : {}),
  };
  const data = sealEnvelope(job, {
    ...(options.replyTo === undefined ? {} : { replyTo: options.replyTo }),
    ...(options.again ? { again: true } : {}),
  });
  return { name: job.queue, data, opts };
}
