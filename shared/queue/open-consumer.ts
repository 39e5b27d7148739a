import { DelayedError, UnrecoverableError, Worker, type Job } from 'bullmq';
import type { QueueContract } from '../contracts/define-queue.ts';
import { isConnectionError } from '../errors/classify.ts';
import { JobError } from '../errors/job-error.ts';
import type { RedisClient } from './connect-redis.ts';
import { hearChannel } from './hear-channel.ts';
import { jobEnvelopeSchema } from './job-envelope.ts';
import { lockDurationMs, maxStalledCount, stalledCheckMs } from './lock-settings.ts';
import type { RedisKeys } from './redis-keys.ts';
import type { Dispatcher } from './open-dispatcher.ts';
import { removeUnreadableJobs } from './remove-unreadable-jobs.ts';
import { Released, runJob, type RunJobOptions } from './run-job.ts';
import type { RunOutcome } from './run-outcome.ts';
import { watchConsumption } from './watch-consumption.ts';

export interface Consumer extends AsyncDisposable {
  /**
   * `parked` while our own stores are away, `paused` while it is being closed, `stalled` when it has stopped taking
   * jobs although there are some.
   */
  state(): 'consuming' | 'parked' | 'paused' | 'stalled';
}

export interface ConsumerOptions<Contract extends QueueContract> extends Omit<
  RunJobOptions<Contract>,
  'announce' | 'dispatcher'
> {
  dispatcher: Pick<Dispatcher, 'dispatch' | 'depth' | 'isPaused'>;
  /** Waits for Redis as long as it takes; BullMQ makes its own blocking copy of it. */
  connection: RedisClient;
  /** Publishes, fails fast. */
  publisher: RedisClient;
  /** A connection of its own, for cancellations. */
  subscriber: RedisClient;
  keys: RedisKeys;
  /** Jobs in hand at once. */
  concurrency: number;
  /** Whether our own stores answer; asked once a second while parked. */
  storeIsUp: () => Promise<boolean>;
  /** How long closing waits for jobs in hand before they are released to other workers. */
  finishWithinMs: number;
  /** How long work may wait untaken while there are free slots, in milliseconds. */
  stalledAfterMs?: number;
}

/** Makes BullMQ try a job again after a delay that the retry policy chose. */
class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly delayMs: number;

  constructor(delayMs: number) {
    super(`again in ${delayMs} ms`);
    this.delayMs = delayMs;
  }
}

const notAJob = {
  kind: 'invalid-input',
  code: 'NOT_A_JOB',
  message: 'Found in Redis, but not put there by a producer of this fleet',
} as const;

const defaultStalledAfterMs = 30_000;
const probeMs = 1_000;
const progressEveryMs = 500;
const closeWithinMs = 2_000;

/** Takes jobs of one queue and runs its handlers. Starts at once; disposing it stops in an orderly way. */
export function openConsumer<Contract extends QueueContract>(options: ConsumerOptions<Contract>): Consumer {
  const { contract, keys, log, metrics, publisher, subscriber } = options;
  const { stalledAfterMs = defaultStalledAfterMs } = options;
  const inHand: JobsInHand = new Map();
  let state: 'consuming' | 'parked' | 'paused' = 'consuming';

  const runOptions: RunJobOptions<Contract> = {
    ...options,
    announce(channel, jobId) {
      // Whoever waits also looks into the ledger once a second, so a lost message costs only time.
      publisher.publish(channel, jobId).catch((error: unknown) => log.debug({ err: error }, 'not announced'));
    },
  };

  const watch = watchConsumption({
    queue: contract.name,
    async inspect() {
      const [{ waiting }, paused] = await Promise.all([
        options.dispatcher.depth(contract.name),
        options.dispatcher.isPaused(contract.name),
      ]);
      return { waiting, paused };
    },
    patienceMs: () =>
      inHand.size < options.concurrency ? stalledAfterMs : Math.max(stalledAfterMs, 2 * contract.deadlineMs),
    checkEveryMs: Math.min(5_000, stalledAfterMs / 2),
    log,
  });

  async function pickUp(job: Job, token?: string): Promise<void> {
    if (state === 'paused') throw Worker.RateLimitError();
    watch.noteProgress();
    const outcome = await run(job);
    watch.noteProgress();
    switch (outcome.next) {
      case 'done':
        return;
      case 'fail':
        throw new UnrecoverableError(outcome.code);
      case 'retry':
        throw new RetryLater(outcome.delayMs);
      case 'wait':
        await putAside(job, outcome.delayMs, token);
        throw new DelayedError();
      case 'leave':
        await job.moveToDelayed(Date.now() + outcome.delayMs, token);
        throw new DelayedError();
      case 'park':
        park();
        throw Worker.RateLimitError();
      case 'release':
        // BullMQ's way to put an active job back without spending an attempt.
        throw Worker.RateLimitError();
    }
  }

  async function run(job: Job): Promise<RunOutcome> {
    const parsed = jobEnvelopeSchema.safeParse(job.data);
    if (!parsed.success) return keepStray(job);
    const envelope = parsed.data;
    // After Redis was wiped, the relay dispatches a job again that this very process still has in hand.
    const before = inHand.get(envelope.id);
    if (before) await before.ended;
    const control = new AbortController();
    const running = runJob(
      { job, envelope, again: before !== undefined, control, progress: throttledProgress(job) },
      runOptions,
    );
    const entry = { control, ended: running };
    inHand.set(envelope.id, entry);
    try {
      return await running;
    } finally {
      if (inHand.get(envelope.id) === entry) inHand.delete(envelope.id);
    }
  }

  async function keepStray(job: Job): Promise<RunOutcome> {
    try {
      await recordStray(job.data ?? null);
      return { next: 'fail', code: notAJob.code };
    } catch (error) {
      log.warn({ err: error, queue: contract.name }, 'a stray could not be recorded');
      return { next: 'park' };
    }
  }

  /** Something that is not ours lies in the queue: keep it where operators look. */
  async function recordStray(data: unknown): Promise<void> {
    const stray = { queue: contract.name, payload: JSON.stringify(data), failure: notAJob };
    const id = await options.store.recordStray(stray);
    metrics.jobs.inc({ queue: contract.name, outcome: 'failed' });
    // Its id in Redis is somebody else's choice, so it may be a name or a number.
    log.error({ job_id: id, queue: contract.name }, 'not a job of this fleet; kept as failed');
  }

  async function keepUnreadable(): Promise<void> {
    try {
      const unreadable = await removeUnreadableJobs(publisher, keys.prefix(contract.name), contract.name);
      for (const data of unreadable) await recordStray(data);
    } catch (error) {
      log.warn({ err: error, queue: contract.name }, 'unreadable jobs could not be kept');
    }
  }

  function throttledProgress(job: Job): (done: number, total: number) => void {
    let lastAt = 0;
    return (done, total) => {
      const now = Date.now();
      if (now - lastAt < progressEveryMs) return;
      lastAt = now;
      job
        .updateProgress({ done, total })
        .catch((error: unknown) => log.debug({ err: error }, 'progress not told'));
    };
  }

  const worker = new Worker(contract.name, pickUp, {
    connection: options.connection,
    prefix: keys.prefix(contract.name),
    concurrency: options.concurrency,
    lockDuration: lockDurationMs,
    stalledInterval: stalledCheckMs,
    maxStalledCount,
    skipVersionCheck: true,
    settings: {
      backoffStrategy: (_made, _type, error) => (error instanceof RetryLater ? error.delayMs : 1_000),
    },
  });
  worker.on('error', (error) => {
    // Connections say themselves when Redis is away.
    if (isConnectionError(error)) return;
    log.warn({ err: error, queue: contract.name }, 'BullMQ reports an error');
    if (error.name === 'SyntaxError') void keepUnreadable();
  });
  worker.on('lockRenewalFailed', (redisJobIds) => {
    for (const redisJobId of redisJobIds) {
      inHand
        .get(redisJobId.slice(0, 36))
        ?.control.abort(new Released('the lock is lost: another worker has the job'));
    }
  });

  function cancel(jobId: string): void {
    const reason = new JobError('cancelled', 'The job was cancelled', { code: 'CANCELLED' });
    inHand.get(jobId)?.control.abort(reason);
  }
  const hearing = hearChannel(subscriber, keys.cancelChannel(), cancel, log);

  let probe: NodeJS.Timeout | undefined;
  function park(): void {
    if (state !== 'consuming') return;
    state = 'parked';
    log.warn({ queue: contract.name }, 'a store is away: consuming pauses');
    void worker.pause(true);
    probe = setInterval(() => void resumeWhenUp(), probeMs);
  }
  async function resumeWhenUp(): Promise<void> {
    if (!(await options.storeIsUp()) || state !== 'parked') return;
    clearInterval(probe);
    state = 'consuming';
    log.info({ queue: contract.name }, 'the stores are back: consuming goes on');
    await worker.resume();
  }

  return {
    state: () => (state === 'consuming' && watch.isStalled() ? 'stalled' : state),
    async [Symbol.asyncDispose]() {
      state = 'paused';
      clearInterval(probe);
      watch[Symbol.dispose]();
      hearing[Symbol.dispose]();
      await worker.pause(true);
      if (!(await settlesWithin(allEnded(inHand), options.finishWithinMs))) {
        log.warn({ jobs: inHand.size, queue: contract.name }, 'stopping: jobs in hand go to other workers');
        for (const { control } of inHand.values()) control.abort(new Released('this process is stopping'));
        await allEnded(inHand);
      }
      if (!(await settlesWithin(worker.close(), closeWithinMs))) await worker.close(true);
    },
  };
}

/** By ledger id: how to stop a run, and its end. */
type JobsInHand = Map<string, { control: AbortController; ended: Promise<unknown> }>;

function allEnded(inHand: JobsInHand): Promise<unknown> {
  return Promise.allSettled([...inHand.values()].map((entry) => entry.ended));
}

/** Back among the delayed ones, with a note since when: attempts are not counted for that. */
async function putAside(job: Job, delayMs: number, token: string | undefined): Promise<void> {
  const envelope = jobEnvelopeSchema.parse(job.data);
  if (envelope.waitingSince === undefined) await job.updateData({ ...envelope, waitingSince: Date.now() });
  await job.moveToDelayed(Date.now() + delayMs, token);
}

async function settlesWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
