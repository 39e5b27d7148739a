import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

export interface LastTick {
  dueAt: Date;
  /** Whether its job is still to be done. */
  open: boolean;
}

/** The schedule's newest accepted tick; its key ends with the time at which it was due. */
export async function lastTick(db: Kysely<Tables>, schedule: string): Promise<LastTick | undefined> {
  const row = await db
    .selectFrom('jobs')
    .select(['unique_key', 'state'])
    .where('unique_key', '>=', `${schedule}@`)
    // The character after @: the end of the schedule's own keys.
    .where('unique_key', '<', `${schedule}A`)
    .orderBy('unique_key', 'desc')
    .limit(1)
    .executeTakeFirst();
  const due = row?.unique_key?.slice(schedule.length + 1);
  return row && due !== undefined ? { dueAt: new Date(due), open: row.state === 'accepted' } : undefined;
}
