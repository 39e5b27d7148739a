import type { Kysely } from 'kysely';
import { deleteInPages } from '../../shared/database/delete-in-pages.ts';
import type { Tables } from '../../shared/database/tables.ts';

const rowsPerStatement = 500;

/**
 * Deletes the pages made ahead of time that expired before, the longest expired first. Answers how many.
 *
 * @param signal ends it after the statement in hand
 */
export function purgePages(
  db: Kysely<Tables>,
  { expiredBefore, signal }: { expiredBefore: Date; signal: AbortSignal },
): Promise<number> {
  return deleteInPages(
    async (limit) => {
      const { numDeletedRows } = await db
        .deleteFrom('page_cache')
        .where('expires_at', '<', expiredBefore)
        .orderBy('expires_at')
        .limit(limit)
        .executeTakeFirstOrThrow();
      return numDeletedRows;
    },
    { pageSize: rowsPerStatement, signal },
  );
}
