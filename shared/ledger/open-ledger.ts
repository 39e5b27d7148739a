import type { Kysely, Transaction } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { Tables } from '../database/tables.ts';
import { createGroup } from '../group/create-group.ts';
import { createAcceptJobs, newRow, type AcceptedJob, type NewJob } from './accept-jobs.ts';
import {
  acceptWithChildren,
  type AcceptedWithChildren,
  type JobWithChildren,
} from './accept-with-children.ts';
import { browseJobs, type BrowseFilter, type JobPage } from './browse-jobs.ts';
import {
  childOutcomes,
  childProgress,
  readChildren,
  fanOut,
  type ChildJob,
  type ChildOutcome,
  type FanOutResult,
  type Waiting,
} from './fan-out.ts';
import {
  acceptIdempotently,
  recordAnswer,
  type IdempotencyKey,
  type IdempotentAccept,
} from './idempotent-accept.ts';
import type { JobFailure, JobRecord } from './job-record.ts';
import { countOpen, createReadJobs, type JobFilter } from './read-jobs.ts';
import { checkAgainAt } from './relay-queries.ts';
import { createSettleJobs, type SettleOutcome, type Settlement } from './settle-jobs.ts';
import { cancelJob, discardJob, reopenJob } from './steer-jobs.ts';

/** The `jobs` table: the truth about every accepted job. Every method throws StoreUnavailableError in an outage. */
export interface Ledger extends AsyncDisposable {
  accept(job: NewJob): Promise<AcceptedJob>;
  acceptWithin(transaction: Transaction<Tables>, job: NewJob): Promise<AcceptedJob>;
  /** Accepts many at once, in their order, as part of a larger change. */
  acceptAllWithin(
    transaction: Transaction<Tables>,
    jobs: readonly Omit<NewJob, 'uniqueKey'>[],
  ): Promise<AcceptedJob[]>;
  /** Accepts once per key; see `acceptIdempotently`. */
  acceptIdempotently(job: NewJob, key: IdempotencyKey): Promise<IdempotentAccept>;
  /** Accepts a job and all of its children, once per key if there is one; see `acceptWithChildren`. */
  acceptWithChildren(
    jobs: JobWithChildren,
    claim?: IdempotencyKey & { bodyHash: string },
  ): Promise<AcceptedWithChildren>;
  recordAnswer(key: { scope: string; queue: string; key: string }, answerStatus: number): Promise<void>;
  /** How many jobs of a queue are open, counted no further than the limit. */
  countOpen(queue: string, limit: number): Promise<number>;
  settle(settlement: Settlement): Promise<SettleOutcome>;
  recordFailedAttempt(
    job: Pick<Settlement, 'id' | 'generation' | 'attempts'>,
    failure: JobFailure,
  ): Promise<void>;
  /** Keeps something that turned up in Redis without a ledger row, as a failed job. Answers its id. */
  recordStray(stray: { queue: string; payload: string; failure: JobFailure }): Promise<string>;
  /** Lets a job wait for its children; see `fanOut`. */
  fanOut(
    parent: { id: string; generation: number },
    children: readonly ChildJob[],
    waiting?: Waiting,
  ): Promise<FanOutResult>;
  childOutcomes(parentId: string): AsyncIterable<ChildOutcome>;
  /** A job's children in the order in which they were accepted, one row in memory at a time. */
  children(parentId: string): AsyncIterable<JobRecord>;
  childProgress(parentId: string): Promise<{ done: number; total: number }>;
  /** Lets the relay look at an open job at once: its dispatch failed. */
  checkSoon(id: string): Promise<void>;
  read(id: string): Promise<JobRecord | undefined>;
  list(filter: JobFilter): Promise<JobRecord[]>;
  /** One page for people to look through; see `browseJobs`. */
  browse(filter: BrowseFilter): Promise<JobPage>;
  settledAmong(ids: readonly string[]): Promise<string[]>;
  cancel(id: string): Promise<string[]>;
  reopen(id: string): Promise<boolean>;
  discard(id: string): Promise<boolean>;
}

/** @param settledBy names this process; unique among all processes, at most 64 ASCII characters */
export function openLedger(db: Kysely<Tables>, settledBy: string): Ledger {
  const accepting = createAcceptJobs(db);
  const settling = createSettleJobs(db, settledBy);
  const reading = createReadJobs(db);
  const checks = createGroup<string, void>({
    maxItems: 500,
    parallelFlushes: 1,
    retrySingly: () => false,
    async flush(ids) {
      await checkAgainAt(db, ids, new Date());
      return ids.map(() => undefined);
    },
  });
  return {
    accept: (job) => accepting.accept(job),
    acceptWithin: (transaction, job) => accepting.acceptWithin(transaction, job),
    acceptAllWithin: (transaction, jobs) => accepting.acceptAllWithin(transaction, jobs),
    acceptIdempotently: (job, key) => acceptIdempotently(db, job, key),
    acceptWithChildren: (jobs, claim) => acceptWithChildren(db, jobs, claim),
    recordAnswer: (key, answerStatus) => recordAnswer(db, key, answerStatus),
    countOpen: (queue, limit) => countOpen(db, queue, limit),
    settle: (settlement) => settling.settle(settlement),
    recordFailedAttempt: (job, failure) => settling.recordFailedAttempt(job, failure),
    async recordStray({ queue, payload, failure }) {
      const row = newRow({ queue, payload, priority: 0 });
      const settled = {
        state: 'failed',
        error: JSON.stringify(failure),
        settled_by: settledBy,
        check_at: null,
        finished_at: row.created_at,
      } as const;
      await db
        .insertInto('jobs')
        .values({ ...row, ...settled })
        .execute();
      return row.id;
    },
    fanOut: (parent, children, waiting) => fanOut(db, parent, children, waiting),
    childOutcomes: (parentId) => childOutcomes(db, parentId),
    children: (parentId) => readChildren(db, parentId),
    childProgress: (parentId) => childProgress(db, parentId),
    checkSoon: (id) => checks.add(id),
    // What is no id is not asked for: the column is ASCII, and the server refuses to compare it with other letters.
    read: async (id) => (isUuid(id) ? await reading.read(id) : undefined),
    list: (filter) => reading.list(filter),
    browse: (filter) => browseJobs(db, filter),
    settledAmong: (ids) => reading.settledAmong(ids),
    cancel: async (id) => (isUuid(id) ? await cancelJob(db, id) : []),
    reopen: async (id) => isUuid(id) && (await reopenJob(db, id)),
    discard: async (id) => isUuid(id) && (await discardJob(db, id)),
    async [Symbol.asyncDispose]() {
      await accepting[Symbol.asyncDispose]();
      await checks[Symbol.asyncDispose]();
      await settling[Symbol.asyncDispose]();
      await reading[Symbol.asyncDispose]();
    },
  };
}
