import type { Kysely } from 'kysely';
import { deleteInPages } from '../../shared/database/delete-in-pages.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { firstIdSince } from '../../shared/ledger/first-id-since.ts';

const rowsPerStatement = 1_000;

/**
 * Deletes the scores of leads, or what challengers said beside them, that were made before, those of the oldest jobs
 * first. Answers how many. They are found by their jobs' ids, which begin with the time: no other index is needed, which
 * every score would have to be written into.
 *
 * @param signal ends it after the statement in hand
 */
export function purgeLeadScores(
  db: Kysely<Tables>,
  table: 'lead_scores' | 'lead_shadow_scores',
  { scoredBefore, signal }: { scoredBefore: Date; signal: AbortSignal },
): Promise<number> {
  return deleteInPages(
    async (limit) => {
      const { numDeletedRows } = await db
        .deleteFrom(table)
        .where('job_id', '<', firstIdSince(scoredBefore))
        // A job may have waited for long until it was done.
        .where('scored_at', '<', scoredBefore)
        .orderBy('job_id')
        .limit(limit)
        .executeTakeFirstOrThrow();
      return numDeletedRows;
    },
    { pageSize: rowsPerStatement, signal },
  );
}
