import type { Job } from 'bullmq';
import { payloadVersionOf, type QueueContract, type ResultOf } from '../contracts/define-queue.ts';
import { classify } from '../errors/classify.ts';
import { JobError } from '../errors/job-error.ts';
import { toDispatchable, type DispatchableJob } from '../ledger/dispatchable-job.ts';
import type { JobFailure, JobRecord } from '../ledger/job-record.ts';
import type { Settlement } from '../ledger/settle-jobs.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { Metrics } from '../telemetry/create-metrics.ts';
import type { Tracing } from '../telemetry/open-tracing.ts';
import { bulkPriority } from './enqueue.ts';
import { FanOut, type Handlers } from './handlers.ts';
import type { JobContext } from './job-context.ts';
import type { JobEnvelope } from './job-envelope.ts';
import type { JobStore } from './job-store.ts';
import type { Dispatcher } from './open-dispatcher.ts';
import { readPayload } from './read-payload.ts';
import { decideRetry, leaveForMs } from './retry-policy.ts';
import type { RunOutcome } from './run-outcome.ts';
import { withDeadline } from './with-deadline.ts';

/** The reason with which a run is aborted when its job is to be left to another worker. */
export class Released extends Error {
  override readonly name = 'Released';
}

export interface RunJobOptions<Contract extends QueueContract> {
  contract: Contract;
  handlers: Handlers<Contract>;
  store: JobStore;
  dispatcher: Pick<Dispatcher, 'dispatch'>;
  /** Tells a waiting process that a job is settled. */
  announce: (channel: string, jobId: string) => void;
  log: Logger;
  metrics: Metrics;
  tracing: Tracing;
}

/** One pick-up of a job by this process. */
export interface Run {
  job: Job;
  envelope: JobEnvelope;
  /** Whether this process had the same job in hand just before. */
  again: boolean;
  control: AbortController;
  progress: JobContext['progress'];
}

/** Takes one run from pick-up to settlement. Never throws: every failure has an outcome. */
export async function runJob<Contract extends QueueContract>(
  run: Run,
  options: RunJobOptions<Contract>,
): Promise<RunOutcome> {
  const { contract, metrics } = options;
  const queue = contract.name;
  const attempt = run.envelope.attemptsBefore + run.job.attemptsMade + 1;
  try {
    return await attemptJob(run, attempt, options);
  } catch (thrown) {
    // An aborted handler may throw anything; why it was aborted is what counts.
    const cause: unknown = run.control.signal.aborted ? run.control.signal.reason : thrown;
    if (cause instanceof Released) {
      metrics.jobs.inc({ queue, outcome: 'released' });
      return { next: 'release' };
    }
    try {
      return await settleFailure(run, attempt, classify(cause), options);
    } catch (error) {
      // The ledger could not take the failure down: the job goes back and is judged again.
      options.log.error({ err: error, job_id: run.envelope.id, queue }, 'a failure could not be recorded');
      return { next: 'park' };
    }
  }
}

async function attemptJob<Contract extends QueueContract>(
  run: Run,
  attempt: number,
  options: RunJobOptions<Contract>,
): Promise<RunOutcome> {
  const { contract, handlers, store, metrics } = options;
  const { envelope, job } = run;
  const queue = contract.name;
  const mayHaveRunBefore =
    run.again || envelope.again === true || attempt > 1 || job.attemptsStarted > 1 || job.stalledCounter > 0;
  let record: JobRecord | undefined;
  // A finish step needs what the start left in the row.
  if (mayHaveRunBefore || envelope.payload === undefined || envelope.phase === 'finish') {
    record = await store.read(envelope.id);
    if (!record) throw new JobError('permanent', 'The ledger has no such job', { code: 'NOT_IN_LEDGER' });
    if (
      record.state !== 'accepted' ||
      record.generation !== envelope.generation ||
      isPast(record, envelope)
    ) {
      metrics.jobs.inc({ queue, outcome: 'superseded' });
      announceTo(envelope, options);
      return { next: 'done' };
    }
  } else {
    metrics.jobWaitSeconds.observe({ queue }, Math.max(0, Date.now() - envelope.dueAt) / 1_000);
  }
  const payload = readPayload(contract, {
    payload: envelope.payload ?? record?.payload,
    version: record?.payloadVersion ?? envelope.payloadVersion ?? 1,
  });
  const endTimer: () => unknown = metrics.jobRunSeconds.startTimer({ queue });
  const spanOptions = {
    kind: 'consumer',
    parent: envelope.traceparent,
    attributes: { 'presage.queue': queue, 'presage.job_id': envelope.id, 'presage.attempt': attempt },
  } as const;
  const answer = await options.tracing
    .span(`process ${queue}`, spanOptions, ({ traceparent }) => {
      const context = jobContext(run, attempt, mayHaveRunBefore, traceparent, options);
      const working =
        envelope.phase === 'finish'
          ? finishStep(handlers, payload, context, { store, interim: record?.interim })
          : handlers.start(payload, context);
      return withDeadline(working, run.control, contract.deadlineMs);
    })
    .finally(endTimer);
  if (answer instanceof FanOut) return fanOutTo(answer, run, options);
  return settle(
    run,
    { attempts: attempt, outcome: { state: 'completed', result: JSON.stringify(answer) } },
    options,
  );
}

/** The job has moved on to a later step than the one that this dispatch was for. */
function isPast(record: JobRecord, envelope: JobEnvelope): boolean {
  return envelope.phase === 'start' ? record.phase !== 'start' : record.phase !== 'finish';
}

function finishStep<Contract extends QueueContract>(
  handlers: Handlers<Contract>,
  payload: Parameters<Handlers<Contract>['start']>[0],
  context: JobContext,
  { store, interim }: { store: JobStore; interim: unknown },
): Promise<ResultOf<Contract>> {
  if (!handlers.finish)
    throw new JobError('permanent', 'This queue has no finish step', { code: 'NO_FINISH_STEP' });
  return handlers.finish(payload, context, store.childOutcomes(context.jobId), interim);
}

function jobContext<Contract extends QueueContract>(
  { envelope, control, progress }: Run,
  attempt: number,
  mayHaveRunBefore: boolean,
  traceparent: string | undefined,
  options: RunJobOptions<Contract>,
): JobContext {
  let log: Logger | undefined;
  return {
    jobId: envelope.id,
    parentId: envelope.parentId,
    requestId: envelope.requestId,
    attempt,
    isLastAttempt: attempt >= options.contract.attempts,
    waitedMs: envelope.waitingSince === undefined ? 0 : Math.max(0, Date.now() - envelope.waitingSince),
    mayHaveRunBefore,
    signal: control.signal,
    progress,
    trace: (name, work) =>
      options.tracing.span(name, { kind: 'client', parent: traceparent, attributes: {} }, work),
    // Most jobs log nothing, so the child logger is made when it is first asked for.
    get log() {
      log ??= options.log.child(logFields(envelope, attempt, options.contract.name));
      return log;
    },
  };
}

function logFields(envelope: JobEnvelope, attempt: number, queue: string) {
  return {
    job_id: envelope.id,
    queue,
    attempt,
    ...(envelope.requestId === undefined ? {} : { request_id: envelope.requestId }),
    ...(envelope.traceparent === undefined ? {} : { traceparent: envelope.traceparent }),
  };
}

async function settle<Contract extends QueueContract>(
  { envelope }: Pick<Run, 'envelope'>,
  ending: Pick<Settlement, 'attempts' | 'outcome'>,
  options: RunJobOptions<Contract>,
): Promise<RunOutcome> {
  const { store, metrics, contract } = options;
  const { won, finishedParentId } = await store.settle({
    id: envelope.id,
    generation: envelope.generation,
    parentId: envelope.parentId ?? null,
    ...ending,
  });
  metrics.jobs.inc({ queue: contract.name, outcome: won ? ending.outcome.state : 'superseded' });
  announceTo(envelope, options);
  if (finishedParentId !== null) await dispatchFinish(finishedParentId, options);
  return { next: 'done' };
}

async function settleFailure<Contract extends QueueContract>(
  run: Run,
  attempt: number,
  error: JobError,
  options: RunJobOptions<Contract>,
): Promise<RunOutcome> {
  const { contract, store, metrics } = options;
  const { id, generation } = run.envelope;
  const decision = decideRetry(error, attempt, contract.attempts);
  const log = options.log.child(logFields(run.envelope, attempt, contract.name));
  if (decision.action === 'park') {
    metrics.jobs.inc({ queue: contract.name, outcome: 'parked' });
    log.warn({ err: error }, 'given back: our own store is away');
    return { next: 'park' };
  }
  if (decision.action === 'wait') {
    metrics.jobs.inc({ queue: contract.name, outcome: 'waiting' });
    log.info({ err: error, wait_ms: decision.delayMs }, 'put aside: nobody can do it now');
    return { next: 'wait', delayMs: decision.delayMs };
  }
  const failure: JobFailure = { kind: error.kind, code: error.code, message: error.message };
  if (decision.action === 'leave') {
    const timesMet = run.job.attemptsStarted;
    metrics.jobs.inc({ queue: contract.name, outcome: 'left' });
    if (timesMet <= 1) {
      // In the row, where whoever looks for the job finds out why it is not done.
      await store.recordFailedAttempt({ id, generation, attempts: attempt - 1 }, failure);
      log.warn({ err: error }, 'left to a worker of a newer version');
    }
    return { next: 'leave', delayMs: leaveForMs(timesMet) };
  }
  if (decision.action === 'retry') {
    await store.recordFailedAttempt({ id, generation, attempts: attempt }, failure);
    metrics.jobs.inc({ queue: contract.name, outcome: 'retried' });
    log.warn({ err: error, retry_in_ms: decision.delayMs }, 'attempt failed; trying again');
    return { next: 'retry', delayMs: decision.delayMs };
  }
  const state = error.kind === 'cancelled' ? 'cancelled' : 'failed';
  log.error({ err: error }, `job ${state}`);
  await settle(run, { attempts: attempt, outcome: { state, failure } }, options);
  return { next: 'fail', code: error.code };
}

async function fanOutTo<Contract extends QueueContract>(
  { children, options: waiting }: FanOut,
  { envelope }: Run,
  options: RunJobOptions<Contract>,
): Promise<RunOutcome> {
  const { children: open, finishNow } = await options.store.fanOut(
    { id: envelope.id, generation: envelope.generation },
    children.map(({ contract, payload }) => ({
      queue: contract.name,
      payload: JSON.stringify(contract.payload.parse(payload)),
      payloadVersion: payloadVersionOf(contract),
      priority: contract.lane === 'bulk' ? bulkPriority : 0,
    })),
    waiting,
  );
  await dispatchOrLeaveToRelay(open.map(toDispatchable), options);
  if (finishNow) await dispatchFinish(envelope.id, options);
  return { next: 'done' };
}

async function dispatchFinish<Contract extends QueueContract>(
  parentId: string,
  options: RunJobOptions<Contract>,
): Promise<void> {
  const parent = await options.store.read(parentId);
  if (!parent || parent.state !== 'accepted') return;
  // The finish step reads its payload from the row: the announcement of its parts is long forgotten.
  await dispatchOrLeaveToRelay([{ ...parent, payload: null }], options);
}

async function dispatchOrLeaveToRelay<Contract extends QueueContract>(
  jobs: readonly DispatchableJob[],
  { dispatcher, log }: RunJobOptions<Contract>,
): Promise<void> {
  if (jobs.length === 0) return;
  try {
    await dispatcher.dispatch(jobs);
  } catch (error) {
    log.debug({ err: error }, 'left to the relay: Redis is away');
  }
}

function announceTo<Contract extends QueueContract>(
  envelope: JobEnvelope,
  options: RunJobOptions<Contract>,
): void {
  if (envelope.replyTo !== undefined) options.announce(envelope.replyTo, envelope.id);
}
