import type { Kysely } from 'kysely';
import { deleteInPages } from '../../shared/database/delete-in-pages.ts';
import type { Tables } from '../../shared/database/tables.ts';

const rowsPerStatement = 500;

/**
 * Deletes the predictions whose window ended before, the oldest first. Answers how many.
 *
 * @param signal ends it after the statement in hand
 */
export function purgePredictions(
  db: Kysely<Tables>,
  { endedBefore, signal }: { endedBefore: Date; signal: AbortSignal },
): Promise<number> {
  return deleteInPages(
    async (limit) => {
      const { numDeletedRows } = await db
        .deleteFrom('generation_queue')
        .where('window_end', '<', endedBefore)
        .orderBy('window_end')
        .limit(limit)
        .executeTakeFirstOrThrow();
      return numDeletedRows;
    },
    { pageSize: rowsPerStatement, signal },
  );
}
