import { sql, type Kysely } from 'kysely';

import { largestInlinePayloadBytes, toDispatchable, type DispatchableJob } from './dispatchable-job.ts';
import type { Tables } from '../database/tables.ts';

const columns = [
  'id',
  'queue',
  'phase',
  'generation',
  'attempts',
  'priority',
  'parent_id',
  'request_id',
  'traceparent',
  'created_at',
  'due_at',
  'payload_version',
] as const;

// A large payload stays where it is; the worker reads it from the row.
const inlinePayload = sql<
  string | null
>`if(length(payload) <= ${sql.lit(largestInlinePayloadBytes)}, payload, null)`.as('payload');

export interface OpenJob extends DispatchableJob {
  createdAt: Date;
}

/** Open jobs whose time to be compared with Redis has come, the most overdue first. */
export async function jobsToCheck(db: Kysely<Tables>, now: Date, limit: number): Promise<OpenJob[]> {
  const rows = await db
    .selectFrom('jobs')
    .select([...columns, inlinePayload])
    .where('check_at', '<=', now)
    .orderBy('check_at')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...toDispatchable(row), createdAt: row.created_at }));
}

/** A page of all open jobs of a queue, in the order of their ids. */
export async function openJobsAfter(
  db: Kysely<Tables>,
  queue: string,
  afterId: string,
  limit: number,
): Promise<OpenJob[]> {
  const rows = await db
    .selectFrom('jobs')
    .select([...columns, inlinePayload])
    .where('queue', '=', queue)
    .where('state', '=', 'accepted')
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...toDispatchable(row), createdAt: row.created_at }));
}

/** Which of these jobs are still open in this generation. */
export async function stillOpen(
  db: Kysely<Tables>,
  jobs: readonly Pick<DispatchableJob, 'id' | 'generation'>[],
): Promise<Set<string>> {
  if (jobs.length === 0) return new Set();
  const rows = await db
    .selectFrom('jobs')
    .select(['id', 'generation'])
    .where(
      'id',
      'in',
      jobs.map((job) => job.id),
    )
    .where('state', '=', 'accepted')
    .execute();
  const generations = new Map(rows.map((row) => [row.id, row.generation]));
  return new Set(jobs.filter((job) => generations.get(job.id) === job.generation).map((job) => job.id));
}

/**
 * Sets when the given open jobs are looked at next: one that waits for its children no later than the time until
 * which it does. The row decides that, because the job may have come to wait since it was read.
 */
export async function checkAgainAt(db: Kysely<Tables>, ids: readonly string[], at: Date): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable('jobs')
    .set({
      check_at: sql<Date>`if(phase = 'children' and children_until < ${at}, children_until, ${at})`,
    })
    .where('id', 'in', ids)
    .where('state', '=', 'accepted')
    .execute();
}

/** Per queue, when its oldest open job that is due became due. By name, so that only open rows are looked at. */
export async function oldestDueJobs(
  db: Kysely<Tables>,
  queues: readonly string[],
  now: Date,
): Promise<Map<string, Date>> {
  const rows = await db
    .selectFrom('jobs')
    .select(['queue', (expression) => expression.fn.min('due_at').as('oldest')])
    .where('queue', 'in', queues)
    .where('state', '=', 'accepted')
    .where('due_at', '<=', now)
    .groupBy('queue')
    .execute();
  return new Map(rows.map((row) => [row.queue, row.oldest]));
}
