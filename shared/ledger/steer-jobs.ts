import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { despiteContention } from '../database/despite-contention.ts';
import type { Tables } from '../database/tables.ts';
import type { JobFailure } from './job-record.ts';
import { beginFinishStep } from './settle-jobs.ts';

const cancelledByCaller: JobFailure = {
  kind: 'cancelled',
  code: 'CANCELLED',
  message: 'The job was cancelled',
};

/**
 * Cancels an open job and its open children. Answers the ids that are now cancelled: none when the job
 * was settled before.
 */
export async function cancelJob(db: Kysely<Tables>, id: string): Promise<string[]> {
  // Children that are settled at this moment are in the way of their parent.
  const cancelled = await despiteContention(() => cancelOpen(db, id));
  // The relay dispatches the finish step of a parent that waited for this job alone.
  if (cancelled.parentId !== null) await beginFinishStep(db, cancelled.parentId);
  return cancelled.ids;
}

function cancelOpen(db: Kysely<Tables>, id: string): Promise<{ ids: string[]; parentId: string | null }> {
  return db.transaction().execute(async (transaction) => {
    const open = await transaction
      .selectFrom('jobs')
      .select(['id', 'parent_id'])
      .where('state', '=', 'accepted')
      .where((row) => row.or([row('id', '=', id), row('parent_id', '=', id)]))
      .forUpdate()
      .execute();
    const job = open.find((row) => row.id === id);
    if (!job) return { ids: [], parentId: null };
    const ids = open.map((row) => row.id);
    await transaction
      .updateTable('jobs')
      .set({
        state: 'cancelled',
        error: JSON.stringify(cancelledByCaller),
        finished_at: new Date(),
        check_at: null,
      })
      .where('id', 'in', ids)
      .where('state', '=', 'accepted')
      .execute();
    return { ids, parentId: job.parent_id };
  });
}

/**
 * Opens a failed or cancelled job again as a new generation with fresh attempts. A settle that the old
 * generation still has under way will have no effect. False when the job is not failed or cancelled.
 */
export async function reopenJob(db: Kysely<Tables>, id: string): Promise<boolean> {
  const update = await db
    .updateTable('jobs')
    .set(openedAgain())
    .where('id', '=', id)
    .where('state', 'in', ['failed', 'cancelled'])
    .executeTakeFirst();
  return update.numUpdatedRows === 1n;
}

/** Opens a job's failed and cancelled children again, as `reopenJob` does; the relay dispatches them. */
export async function reopenChildren(db: Kysely<Tables>, parentId: string): Promise<void> {
  await db
    .updateTable('jobs')
    .set(openedAgain())
    .where('parent_id', '=', parentId)
    .where('state', 'in', ['failed', 'cancelled'])
    .execute();
}

/** What becomes of a row that is opened again. */
function openedAgain() {
  const now = new Date();
  return {
    state: 'accepted',
    phase: 'start',
    generation: sql<number>`generation + 1`,
    attempts: 0,
    result: null,
    error: null,
    settled_by: null,
    finished_at: null,
    due_at: now,
    check_at: now,
    children_until: null,
    interim: null,
  } as const;
}

/** Gives a failed job up: it stays in the ledger, as cancelled. False when it is not failed. */
export async function discardJob(db: Kysely<Tables>, id: string): Promise<boolean> {
  const update = await db
    .updateTable('jobs')
    .set({ state: 'cancelled' })
    .where('id', '=', id)
    .where('state', '=', 'failed')
    .executeTakeFirst();
  return update.numUpdatedRows === 1n;
}
