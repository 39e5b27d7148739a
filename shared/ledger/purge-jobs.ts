import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { firstIdSince } from './first-id-since.ts';
import { lastTick } from './last-tick.ts';

export interface PurgeOptions {
  /** Jobs that were settled before go. */
  finishedBefore: Date;
  /** Ends the purge after the page in hand. */
  signal: AbortSignal;
}

const pageSize = 500;
/** Leaves MySQL to the jobs themselves while a long backlog is purged. */
const pauseBetweenPagesMs = 100;

interface PurgeableRow {
  id: string;
  parent_id: string | null;
  unique_key: string | null;
}

/**
 * Deletes settled jobs by their primary keys, page by page from the newest to the oldest, so that no statement
 * locks more than a page of rows that nobody uses. Answers how many it deleted.
 *
 * A child stays as long as its parent is open or young, because the parent's finish step reads it; a parent stays
 * as long as it has a child; and the newest tick of a schedule stays, because cron goes on from there.
 */
export async function purgeJobs(
  db: Kysely<Tables>,
  { finishedBefore, signal }: PurgeOptions,
): Promise<number> {
  let deleted = 0;
  for (let before = firstIdSince(finishedBefore); !signal.aborted;) {
    const page = await db
      .selectFrom('jobs')
      .select(['id', 'parent_id', 'unique_key'])
      .where('id', '<', before)
      .where('state', '!=', 'accepted')
      .where('finished_at', '<', finishedBefore)
      .orderBy('id', 'desc')
      .limit(pageSize)
      .execute();
    deleted += await purgePage(db, page, finishedBefore);
    const last = page.at(-1);
    if (!last || page.length < pageSize) break;
    before = last.id;
    await delay(pauseBetweenPagesMs, undefined, { signal }).catch(() => undefined);
  }
  return deleted;
}

async function purgePage(
  db: Kysely<Tables>,
  page: readonly PurgeableRow[],
  finishedBefore: Date,
): Promise<number> {
  const needing = await parentsThatNeedTheirChildren(db, page, finishedBefore);
  const ticks = await newestTicks(db, page);
  let left = page.filter((row) => !needing.has(row.parent_id ?? '') && !ticks.has(row.unique_key ?? ''));
  let deleted = 0;
  // Children before their parents, which may be in the same page.
  while (left.length > 0) {
    const parents = await parentsAmong(db, left);
    const childless = left.filter(({ id }) => !parents.has(id));
    if (childless.length === 0) break;
    deleted += await deleteSettled(db, childless);
    left = left.filter(({ id }) => parents.has(id));
  }
  return deleted;
}

async function parentsThatNeedTheirChildren(
  db: Kysely<Tables>,
  page: readonly PurgeableRow[],
  finishedBefore: Date,
): Promise<Set<string>> {
  const parentIds = [...new Set(page.flatMap((row) => row.parent_id ?? []))];
  if (parentIds.length === 0) return new Set();
  const rows = await db
    .selectFrom('jobs')
    .select('id')
    .where('id', 'in', parentIds)
    .where((parent) =>
      parent.or([parent('state', '=', 'accepted'), parent('finished_at', '>=', finishedBefore)]),
    )
    .execute();
  return new Set(rows.map((row) => row.id));
}

/** The unique keys in the page that are the newest ticks of their schedules. */
async function newestTicks(db: Kysely<Tables>, page: readonly PurgeableRow[]): Promise<Set<string>> {
  const schedules = new Set(page.flatMap((row) => /^(.+)@[^@]+$/.exec(row.unique_key ?? '')?.[1] ?? []));
  const newest = new Set<string>();
  for (const schedule of schedules) {
    const tick = await lastTick(db, schedule);
    if (tick) newest.add(`${schedule}@${tick.dueAt.toISOString()}`);
  }
  return newest;
}

/** Those of the jobs that have children. */
async function parentsAmong(db: Kysely<Tables>, jobs: readonly PurgeableRow[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom('jobs')
    .select('parent_id')
    .distinct()
    .where(
      'parent_id',
      'in',
      jobs.map(({ id }) => id),
    )
    .execute();
  return new Set(rows.flatMap((row) => row.parent_id ?? []));
}

/** With what models answered them. What these calls cost stays countable. */
async function deleteSettled(db: Kysely<Tables>, jobs: readonly PurgeableRow[]): Promise<number> {
  const ids = jobs.map(({ id }) => id);
  return await db.transaction().execute(async (transaction) => {
    const { numDeletedRows } = await transaction
      .deleteFrom('jobs')
      .where('id', 'in', ids)
      // An operator may have opened one of them again since it was looked at.
      .where('state', '!=', 'accepted')
      .executeTakeFirstOrThrow();
    await transaction
      .updateTable('llm_calls')
      .set({ answer: null })
      .where('job_id', 'in', ids)
      .where('answer', 'is not', null)
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom('jobs').select('id').whereRef('jobs.id', '=', 'llm_calls.job_id'))),
      )
      .execute();
    return Number(numDeletedRows);
  });
}
