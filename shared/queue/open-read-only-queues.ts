import { Queue } from 'bullmq';
import type { QueueContract } from '../contracts/define-queue.ts';
import type { DispatchableJob } from '../ledger/dispatchable-job.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { RedisClient } from './connect-redis.ts';
import { redisJobId } from './job-envelope.ts';
import type { RedisKeys } from './redis-keys.ts';

/** What Redis still knows of a job. */
export interface RedisTrace {
  redisId: string;
  /** When its last attempt began; undefined before the first one. */
  startedAt: Date | undefined;
  /** When its last attempt ended; undefined while it waits, runs or is to be tried again. */
  endedAt: Date | undefined;
}

/** The queues for people to look into. Nothing here writes to Redis. */
export interface ReadOnlyQueues extends AsyncDisposable {
  queues: readonly Queue[];
  /** Undefined when Redis has forgotten the job. Rejects when Redis is away. */
  trace(job: Pick<DispatchableJob, 'id' | 'queue' | 'generation' | 'phase'>): Promise<RedisTrace | undefined>;
}

export interface ReadOnlyQueuesOptions {
  connection: RedisClient;
  contracts: readonly QueueContract[];
  keys: RedisKeys;
  log: Logger;
}

export function openReadOnlyQueues(options: ReadOnlyQueuesOptions): ReadOnlyQueues {
  const { connection, contracts, keys, log } = options;
  const queues = contracts.map(({ name }) => {
    const queue = new Queue(name, {
      connection,
      prefix: keys.prefix(name),
      skipWaitingForReady: true,
      skipVersionCheck: true,
      skipMetasUpdate: true,
    });
    queue.on('error', (error) => log.debug({ err: error, queue: name }, 'a queue connection failed'));
    return queue;
  });
  return {
    queues,
    async trace(job) {
      const redisId = redisJobId(job);
      const found = await queues.find(({ name }) => name === job.queue)?.getJob(redisId);
      return found && { redisId, startedAt: instant(found.processedOn), endedAt: instant(found.finishedOn) };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(queues.map((queue) => queue.close()));
    },
  };
}

function instant(milliseconds: number | undefined): Date | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds);
}
