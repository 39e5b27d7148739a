import { sql, type Insertable, type Kysely, type Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';
import type { JobsTable } from '../database/jobs-table.ts';
import { isOutage } from '../database/open-database.ts';
import { splitRows } from '../database/split-rows.ts';
import type { Tables } from '../database/tables.ts';
import { createGroup } from '../group/create-group.ts';

/** A job that is about to be accepted. Its payload has been parsed by the queue's contract. */
export interface NewJob {
  queue: string;
  /** The payload as JSON text. */
  payload: string;
  /** 1 when left out. */
  payloadVersion?: number;
  /** 0 is served first. */
  priority: number;
  /** Not to be started before; now when left out. */
  dueAt?: Date;
  /** Two jobs never share one: accepting it again answers the job that has it. */
  uniqueKey?: string;
  /** The job that waits for this one. */
  parentId?: string;
  /** Position among those children that the parent named when it fanned out, from 0. */
  childPosition?: number;
  requestId?: string;
  traceparent?: string;
}

export interface AcceptedJob {
  id: string;
  /** False when another job already had the unique key: `id` is that job's. */
  created: boolean;
  row: Insertable<JobsTable>;
}

/** After this long without a settle, the relay looks whether Redis still knows an accepted job. */
const firstCheckAfterMs = 15_000;

/** MySQL takes a statement of up to 64 MiB by default; stay well below MariaDB's 16 MiB. */
const maxStatementBytes = 8 * 1024 * 1024;

const rowsPerInsert = 500;

export type AcceptJobs = ReturnType<typeof createAcceptJobs>;

/** Accepting: a job is ours to do from the moment its row is committed. */
export function createAcceptJobs(db: Kysely<Tables>) {
  const inserts = createGroup<Insertable<JobsTable>, void>({
    maxItems: rowsPerInsert,
    maxBytes: maxStatementBytes,
    weigh: (row) => row.payload.length,
    parallelFlushes: 2,
    retrySingly: (error) => !isOutage(error),
    async flush(rows) {
      await db.insertInto('jobs').values(rows).execute();
      return rows.map(() => undefined);
    },
  });

  return {
    /** Commits the job, together with others that are being accepted at this moment. */
    async accept(job: NewJob): Promise<AcceptedJob> {
      if (job.uniqueKey !== undefined) return acceptUnique(db, job);
      const row = newRow(job);
      await inserts.add(row);
      return { id: row.id, created: true, row };
    },

    /** Accepts as part of a larger change; dispatch it after that transaction has committed. */
    acceptWithin(transaction: Transaction<Tables>, job: NewJob): Promise<AcceptedJob> {
      return acceptUnique(transaction, job);
    },

    /** The same for many at once, in their order. None of them has a unique key, so all of them are new. */
    async acceptAllWithin(
      transaction: Transaction<Tables>,
      jobs: readonly Omit<NewJob, 'uniqueKey'>[],
    ): Promise<AcceptedJob[]> {
      const now = new Date();
      const rows = jobs.map((job) => newRow(job, now));
      for (const part of insertableParts(rows)) await transaction.insertInto('jobs').values(part).execute();
      return rows.map((row) => ({ id: row.id, created: true, row }));
    },

    [Symbol.asyncDispose]: () => inserts[Symbol.asyncDispose](),
  };
}

/** Accepts a job unless another one has its unique key: then that one is the answer. */
export async function acceptUnique(
  db: Kysely<Tables>,
  job: NewJob,
  row: Insertable<JobsTable> = newRow(job),
): Promise<AcceptedJob> {
  const inserted = await db.insertInto('jobs').ignore().values(row).executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows === 1n) return { id: row.id, created: true, row };
  const holder = await db
    .selectFrom('jobs')
    .select('id')
    .where('unique_key', '=', job.uniqueKey ?? '')
    // In a transaction a plain read would not see a row that was committed after the transaction's first read. The
    // refused insert holds this very lock already, so several of us do not block each other.
    .modifyEnd(sql`lock in share mode`)
    .executeTakeFirst();
  if (!holder) throw new Error('the ledger refused a new row although no other job has its unique key');
  return { id: holder.id, created: false, row };
}

/** The rows in parts that one statement each may insert. */
export function insertableParts(rows: readonly Insertable<JobsTable>[]): Insertable<JobsTable>[][] {
  return splitRows(rows, { maxRows: rowsPerInsert, charactersOf: ({ payload }) => payload.length });
}

export function newRow(job: NewJob, now = new Date()): Insertable<JobsTable> {
  const dueAt = job.dueAt && job.dueAt > now ? job.dueAt : now;
  // What is left out has the column's default: an open job at its start, without parent, key or trace.
  return {
    id: uuid(),
    queue: job.queue,
    payload: job.payload,
    priority: job.priority,
    created_at: now,
    due_at: dueAt,
    check_at: new Date(dueAt.getTime() + firstCheckAfterMs),
    ...(job.parentId === undefined
      ? {}
      : { parent_id: job.parentId, child_position: job.childPosition ?? null }),
    ...(job.payloadVersion === undefined || job.payloadVersion === 1
      ? {}
      : { payload_version: job.payloadVersion }),
    ...(job.uniqueKey === undefined ? {} : { unique_key: job.uniqueKey }),
    ...(job.requestId === undefined ? {} : { request_id: job.requestId }),
    ...(job.traceparent === undefined ? {} : { traceparent: job.traceparent }),
  };
}
