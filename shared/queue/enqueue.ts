import { createHash } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { z } from 'zod';
import { payloadVersionOf, type PayloadOf, type QueueContract } from '../contracts/define-queue.ts';
import type { Tables } from '../database/tables.ts';
import { JobError } from '../errors/job-error.ts';
import { toDispatchable, type DispatchableJob } from '../ledger/dispatchable-job.ts';
import type { AcceptedJob, NewJob } from '../ledger/accept-jobs.ts';
import type { IdempotencyKey, IdempotentAccept } from '../ledger/idempotent-accept.ts';
import type { AcceptedWithChildren } from '../ledger/accept-with-children.ts';
import type { Ledger } from '../ledger/open-ledger.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { Dispatcher } from './open-dispatcher.ts';

/** The caller's payload does not fit the queue's contract. */
export class PayloadError extends JobError {
  readonly issues: readonly z.core.$ZodIssue[];

  constructor(queue: string, issues: readonly z.core.$ZodIssue[]) {
    super('invalid-input', `The payload does not fit the queue ${queue}`, { code: 'VALIDATION_ERROR' });
    this.name = 'PayloadError';
    this.issues = issues;
  }
}

export interface EnqueueOptions {
  /** Overrides the lane's priority: 0 is served first, up to 2,097,152. */
  priority?: number;
  delayMs?: number;
  /** Two jobs never share one. */
  uniqueKey?: string;
  requestId?: string;
  traceparent?: string;
  /** The result channel on which the caller waits. */
  replyTo?: string;
}

export interface EnqueueAllOptions extends Pick<EnqueueOptions, 'priority'> {
  /** The job whose children they are: it answers a `FanOut`, and its finish step sees them. */
  parentId?: string;
}

/** Jobs for which nobody waits yield to those for which somebody does. */
export const bulkPriority = 10;

export interface Enqueue {
  /**
   * Accepts a job: when this resolves, the job is committed in the ledger and will be done. Then hands it
   * to Redis; when Redis is away, the relay does so later.
   *
   * @throws PayloadError, StoreUnavailableError (nothing was accepted)
   */
  enqueue(contract: QueueContract, payload: unknown, options?: EnqueueOptions): Promise<AcceptedJob>;
  /**
   * The same, once per idempotency key: of the same request sent again, however often, only the first makes a job.
   *
   * @throws PayloadError, StoreUnavailableError
   */
  enqueueIdempotently(
    contract: QueueContract,
    payload: unknown,
    key: IdempotencyKey,
    options?: EnqueueOptions,
  ): Promise<IdempotentAccept>;
  /** Accepts as part of a transaction; call `dispatch` with the answer once that has committed. */
  enqueueWithin<Contract extends QueueContract>(
    transaction: Transaction<Tables>,
    contract: Contract,
    payload: PayloadOf<Contract>,
    options?: EnqueueOptions,
  ): Promise<AcceptedJob>;
  dispatch(job: AcceptedJob, options?: Pick<EnqueueOptions, 'replyTo'>): Promise<void>;
  /**
   * Accepts many jobs of one queue as part of a transaction, in their order; call `dispatchAll` with the answer once
   * that has committed. They have no unique keys, whatever the queue says: who accepts them knows that they are new.
   *
   * @throws PayloadError
   */
  enqueueAllWithin<Contract extends QueueContract>(
    transaction: Transaction<Tables>,
    contract: Contract,
    payloads: readonly PayloadOf<Contract>[],
    options?: EnqueueAllOptions,
  ): Promise<AcceptedJob[]>;
  dispatchAll(jobs: readonly AcceptedJob[]): Promise<void>;
  /**
   * Accepts a job that waits for others of its queue from the start, together with all of them: when this resolves,
   * they are committed, all or none. Only the job's finish step is run.
   *
   * @param bulk.children their payloads as JSON text; whoever made them answers for their form
   * @param claim an idempotency key, with the SHA-256 of all that was sent
   * @throws PayloadError, StoreUnavailableError
   */
  enqueueBulk(
    contract: QueueContract,
    bulk: { payload: unknown; children: Iterable<string> },
    options?: Omit<EnqueueOptions, 'uniqueKey' | 'replyTo'>,
    claim?: IdempotencyKey & { bodyHash: string },
  ): Promise<AcceptedWithChildren>;
}

export function createEnqueue(ledger: Ledger, dispatcher: Dispatcher, log: Logger): Enqueue {
  async function dispatchAll(
    jobs: readonly AcceptedJob[],
    options: Pick<EnqueueOptions, 'replyTo'> = {},
  ): Promise<void> {
    const created = jobs.filter((job) => job.created);
    await dispatchOrLeaveToRelay(
      created.map(({ row }) => toDispatchable(row)),
      options,
    );
  }

  async function dispatchOrLeaveToRelay(
    jobs: readonly DispatchableJob[],
    options: Pick<EnqueueOptions, 'replyTo'> = {},
  ): Promise<void> {
    const [first] = jobs;
    if (!first) return;
    try {
      await dispatcher.dispatch(jobs, options);
    } catch (error) {
      // The jobs are safe in the ledger, and the relay finds them there: at once, or a little later without this mark.
      const which = { job_id: first.id, queue: first.queue, jobs: jobs.length };
      log.debug({ err: error, ...which }, 'left to the relay: Redis is away');
      await Promise.allSettled(jobs.map(({ id }) => ledger.checkSoon(id)));
    }
  }

  return {
    async enqueue(contract, payload, options = {}) {
      const accepted = await ledger.accept(newJob(contract, payload, options));
      await dispatchAll([accepted], options);
      return accepted;
    },
    async enqueueIdempotently(contract, payload, key, options = {}) {
      const outcome = await ledger.acceptIdempotently(newJob(contract, payload, options), key);
      if (outcome.kind === 'first') await dispatchAll([outcome.job], options);
      return outcome;
    },
    enqueueWithin(transaction, contract, payload, options = {}) {
      return ledger.acceptWithin(transaction, newJob(contract, payload, options));
    },
    dispatch: (job, options) => dispatchAll([job], options),
    async enqueueAllWithin(transaction, contract, payloads, options = {}) {
      const jobs = payloads.map((payload) => jobOf(contract, parsePayload(contract, payload), options));
      return await ledger.acceptAllWithin(transaction, jobs);
    },
    dispatchAll: (jobs) => dispatchAll(jobs),
    async enqueueBulk(contract, { payload, children }, options = {}, claim) {
      const accepted = await ledger.acceptWithChildren(
        {
          parent: newJob(contract, payload, options),
          childPayloads: children,
          childPriority: options.priority ?? bulkPriority,
        },
        claim,
      );
      if (accepted.kind === 'first') await dispatchOrLeaveToRelay(accepted.children);
      return accepted;
    },
  };
}

function newJob(contract: QueueContract, payload: unknown, options: EnqueueOptions): NewJob {
  const parsed = parsePayload(contract, payload);
  const uniqueKey = options.uniqueKey ?? identityKey(contract, parsed, payload);
  return {
    ...jobOf(contract, parsed, options),
    ...(options.delayMs ? { dueAt: new Date(Date.now() + options.delayMs) } : {}),
    ...(uniqueKey === undefined ? {} : { uniqueKey }),
    ...(options.requestId === undefined ? {} : { requestId: options.requestId }),
    ...(options.traceparent === undefined ? {} : { traceparent: options.traceparent }),
  };
}

function parsePayload(contract: QueueContract, payload: unknown): unknown {
  const parsed = contract.payload.safeParse(payload);
  if (!parsed.success) throw new PayloadError(contract.name, parsed.error.issues);
  return parsed.data;
}

function jobOf(contract: QueueContract, parsed: unknown, { priority, parentId }: EnqueueAllOptions): NewJob {
  return {
    queue: contract.name,
    payload: JSON.stringify(parsed),
    payloadVersion: payloadVersionOf(contract),
    priority: priority ?? (contract.lane === 'bulk' ? bulkPriority : 0),
    ...(parentId === undefined ? {} : { parentId }),
  };
}

/**
 * The unique key of a job with this payload; undefined where every payload is work of its own. Of a fixed length, because
 * an identity may be as long as a payload.
 *
 * @param payload as the contract parses it
 * @param input as it came
 */
export function identityKey(contract: QueueContract, payload: unknown, input: unknown): string | undefined {
  if (!contract.identityOf) return undefined;
  const identity = canonicalJson(contract.identityOf(payload, input));
  return `${contract.name}#${createHash('sha256').update(identity).digest('hex')}`;
}

/** The same text for the same value, in whatever order its keys came. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
