import type { Kysely } from 'kysely';
import { sweepResultSchema } from '../../shared/contracts/pattern-detection.ts';
import type { Tables } from '../../shared/database/tables.ts';

/** The schedule whose ticks look at all users; a tick's key is its name, `@` and the time at which it was due. */
export const sweepSchedule = 'pattern-sweep';

export interface SettledSweep {
  acceptedAt: Date;
  finishedAt: Date;
  /** Whether it got to all users within its time. */
  succeeded: boolean;
}

/** The newest tick that came to its end, however it did. Ticks by hand do not count. */
export async function lastSettledSweep(db: Kysely<Tables>): Promise<SettledSweep | undefined> {
  const row = await ticks(db)
    .select(['state', 'result', 'created_at', 'finished_at'])
    .where('state', '!=', 'accepted')
    .executeTakeFirst();
  if (!row?.finished_at) return undefined;
  const result = row.state === 'completed' && row.result !== null ? row.result : 'null';
  return {
    acceptedAt: row.created_at,
    finishedAt: row.finished_at,
    succeeded: sweepResultSchema.safeParse(JSON.parse(result)).data?.success ?? false,
  };
}

/** When the newest tick that got to all users within its time was done. */
export async function lastSuccessfulSweep(db: Kysely<Tables>): Promise<Date | undefined> {
  const row = await ticks(db)
    .select('finished_at')
    .where('state', '=', 'completed')
    // Document 001 says which keys a result has and in which order.
    .where('result', 'like', '{"success":true,%')
    .executeTakeFirst();
  return row?.finished_at ?? undefined;
}

/** The newest first, along the index of unique keys: it ends at the first one that is looked for. */
function ticks(db: Kysely<Tables>) {
  return (
    db
      .selectFrom('jobs')
      .where('unique_key', '>=', `${sweepSchedule}@`)
      // The character after @: the end of the schedule's own keys.
      .where('unique_key', '<', `${sweepSchedule}A`)
      .orderBy('unique_key', 'desc')
      .limit(1)
  );
}
