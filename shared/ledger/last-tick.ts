import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

/** When the schedule's newest accepted tick was due; its key ends with that time. */
export async function lastTick(db: Kysely<Tables>, schedule: string): Promise<Date | undefined> {
  const row = await db
    .selectFrom('jobs')
    .select('unique_key')
    .where('unique_key', '>=', `${schedule}@`)
    // The character after @: the end of the schedule's own keys.
    .where('unique_key', '<', `${schedule}A`)
    .orderBy('unique_key', 'desc')
    .limit(1)
    .executeTakeFirst();
  const due = row?.unique_key?.slice(schedule.length + 1);
  return due === undefined ? undefined : new Date(due);
}
