import { sql, type Insertable, type Kysely } from 'kysely';
import type { JobRowState, JobsTable } from '../database/jobs-table.ts';
import type { Tables } from '../database/tables.ts';
import { insertableParts, newRow, type NewJob } from './accept-jobs.ts';
import { jobFailureSchema, jobRecord, type JobFailure, type JobRecord } from './job-record.ts';
import { beginFinishStep } from './settle-jobs.ts';
import { reopenChildren } from './steer-jobs.ts';

export type ChildJob = Pick<NewJob, 'queue' | 'payload' | 'payloadVersion' | 'priority'>;

/** How a job waits for its children. */
export interface Waiting {
  /** From then on its finish step runs even if children are open; left out: not before all are settled. */
  until?: Date;
  /** What its start hands to its finish, as small JSON. */
  interim?: unknown;
  /** Whether the children that have failed or were cancelled are opened again. */
  reopenChildren?: boolean;
}

export interface FanOutResult {
  /** The children that are still to be dispatched. */
  children: Insertable<JobsTable>[];
  /** True when the job has nothing to wait for, or no time left: dispatch its finish step. */
  finishNow: boolean;
}

/** One child, as the parent's finish step sees it. */
export interface ChildOutcome {
  /** Position in what the parent fanned out, from 0; null for a child that its handler accepted itself. */
  position: number | null;
  /** `open`: not settled. Only a parent that waits no longer than until a given time sees such a child. */
  state: 'completed' | 'failed' | 'cancelled' | 'open';
  /** Null unless completed. */
  result: unknown;
  /** Why its last attempt failed, if one did. */
  failure: JobFailure | null;
}

const outcomeOf: Readonly<Record<JobRowState, ChildOutcome['state']>> = {
  accepted: 'open',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

const idsPerPage = 1_000;
/** Fewer, because each may hold a large result. */
const rowsPerPage = 200;

/**
 * Accepts a job's children and lets the job wait for them, in one transaction. Done again for the same
 * parent (it was killed before its dispatch), it finds the children that it accepted before. Without any, the job
 * waits for those that were accepted elsewhere as its children; there may be any number of them.
 */
export async function fanOut(
  db: Kysely<Tables>,
  parent: { id: string; generation: number },
  children: readonly ChildJob[],
  { until, interim, reopenChildren: isReopening }: Waiting = {},
): Promise<FanOutResult> {
  const rows = children.map((child, position) =>
    newRow({
      ...child,
      parentId: parent.id,
      childPosition: position,
      uniqueKey: `child:${parent.id}:${parent.generation}:${position}`,
    }),
  );
  const open = await db.transaction().execute(async (transaction) => {
    for (const part of insertableParts(rows)) {
      await transaction.insertInto('jobs').ignore().values(part).execute();
    }
    const { numUpdatedRows } = await transaction
      .updateTable('jobs')
      .set({
        phase: 'children',
        interim: interim === undefined ? null : JSON.stringify(interim),
        children_until: until ?? null,
        // The relay is who notices that the time is over.
        ...(until === undefined ? {} : { check_at: sql<Date>`least(check_at, ${until})` }),
      })
      .where('id', '=', parent.id)
      .where('generation', '=', parent.generation)
      .where('state', '=', 'accepted')
      .where('phase', '=', 'start')
      .executeTakeFirstOrThrow();
    // Not when this is done again: what has failed since then has failed.
    if (isReopening && numUpdatedRows > 0n) await reopenChildren(transaction, parent.id);
    if (rows.length === 0) return [];
    return transaction
      .selectFrom('jobs')
      .selectAll()
      .where('parent_id', '=', parent.id)
      .where('state', '=', 'accepted')
      .execute();
  });
  return { children: open, finishNow: await beginFinishStep(db, parent.id) };
}

/** The outcomes of a parent's children in the order in which they were accepted, page by page. */
export async function* childOutcomes(db: Kysely<Tables>, parentId: string): AsyncGenerator<ChildOutcome> {
  let ids = await nextChildren(db, parentId, '');
  for (let last = ids.at(-1); last !== undefined; last = ids.at(-1)) {
    for (let start = 0; start < ids.length; start += rowsPerPage) {
      yield* await readOutcomes(db, ids.slice(start, start + rowsPerPage));
    }
    ids = await nextChildren(db, parentId, last);
  }
}

/** A parent's children in the order in which they were accepted, read one by one: their payloads may be large. */
export async function* readChildren(db: Kysely<Tables>, parentId: string): AsyncGenerator<JobRecord> {
  let ids = await nextChildren(db, parentId, '');
  for (let last = ids.at(-1); last !== undefined; last = ids.at(-1)) {
    for (const id of ids) {
      const row = await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
      if (row) yield jobRecord(row);
    }
    ids = await nextChildren(db, parentId, last);
  }
}

/**
 * The next children in the order of their ids. Within one state the index is in that order, so this takes no longer
 * because the parent has many children or the ledger many jobs. Each child is found once, although it may be settled
 * meanwhile.
 */
async function nextChildren(db: Kysely<Tables>, parentId: string, after: string): Promise<string[]> {
  const nextOfEachState = Object.keys(outcomeOf).map(
    (state) => sql`(select id from jobs where parent_id = ${parentId} and state = ${state} and id > ${after}
                    order by id limit ${idsPerPage})`,
  );
  const { rows } = await sql<{ id: string }>`
    select id from (${sql.join(nextOfEachState, sql` union all `)}) as next_children
    order by id limit ${idsPerPage}`.execute(db);
  return rows.map(({ id }) => id);
}

async function readOutcomes(db: Kysely<Tables>, ids: readonly string[]): Promise<ChildOutcome[]> {
  const rows = await db
    .selectFrom('jobs')
    .select(['child_position', 'state', 'result', 'error'])
    .where('id', 'in', ids)
    .orderBy('id')
    .execute();
  return rows.map(({ child_position: position, state, result, error }): ChildOutcome => ({
    position,
    state: outcomeOf[state],
    result: result === null ? null : JSON.parse(result),
    failure: error === null ? null : jobFailureSchema.parse(JSON.parse(error)),
  }));
}

/** How many children a parent has, and how many of them are settled. */
export async function childProgress(
  db: Kysely<Tables>,
  parentId: string,
): Promise<{ done: number; total: number }> {
  const rows = await db
    .selectFrom('jobs')
    .select(['state', (expression) => expression.fn.countAll().as('count')])
    .where('parent_id', '=', parentId)
    .groupBy('state')
    .execute();
  let done = 0;
  let total = 0;
  for (const { state, count } of rows) {
    total += Number(count);
    if (state !== 'accepted') done += Number(count);
  }
  return { done, total };
}
