import type { Insertable, Kysely } from 'kysely';
import type { JobsTable } from '../database/jobs-table.ts';
import type { Tables } from '../database/tables.ts';
import { newRow, type NewJob } from './accept-jobs.ts';
import { beginFinishStep } from './settle-jobs.ts';
import { jobRecord, type JobFailure } from './job-record.ts';

export type ChildJob = Pick<NewJob, 'queue' | 'payload' | 'priority'>;

export interface FanOutResult {
  /** The children that are still to be dispatched. */
  children: Insertable<JobsTable>[];
  /** True when no child is open, for instance because there is none: dispatch the parent's finish step. */
  finishNow: boolean;
}

/** One settled child, as the parent's finish step sees it. */
export interface ChildOutcome {
  position: number;
  state: 'completed' | 'failed' | 'cancelled';
  result: unknown;
  failure: JobFailure | null;
}

const rowsPerInsert = 500;
const rowsPerPage = 200;

/**
 * Accepts a job's children and lets the job wait for them, in one transaction. Done again for the same
 * parent (it was killed before its dispatch), it finds the children that it accepted before.
 */
export async function fanOut(
  db: Kysely<Tables>,
  parent: { id: string; generation: number },
  children: readonly ChildJob[],
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
    for (let start = 0; start < rows.length; start += rowsPerInsert) {
      await transaction
        .insertInto('jobs')
        .ignore()
        .values(rows.slice(start, start + rowsPerInsert))
        .execute();
    }
    await transaction
      .updateTable('jobs')
      .set({ phase: 'children' })
      .where('id', '=', parent.id)
      .where('generation', '=', parent.generation)
      .where('state', '=', 'accepted')
      .where('phase', '=', 'start')
      .execute();
    return transaction
      .selectFrom('jobs')
      .selectAll()
      .where('parent_id', '=', parent.id)
      .where('state', '=', 'accepted')
      .execute();
  });
  return { children: open, finishNow: open.length === 0 && (await beginFinishStep(db, parent.id)) };
}

/** The outcomes of a parent's children in order of their position, page by page. */
export async function* childOutcomes(db: Kysely<Tables>, parentId: string): AsyncGenerator<ChildOutcome> {
  for (let after = ''; ;) {
    const rows = await db
      .selectFrom('jobs')
      .selectAll()
      .where('parent_id', '=', parentId)
      .where('id', '>', after)
      .orderBy('id')
      .limit(rowsPerPage)
      .execute();
    for (const row of rows) {
      const { state, result, error, childPosition } = jobRecord(row);
      if (state === 'accepted' || childPosition === null) continue;
      yield { position: childPosition, state, result, failure: error };
    }
    const last = rows.at(-1);
    if (!last || rows.length < rowsPerPage) return;
    after = last.id;
  }
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
