import type { Kysely } from 'kysely';
import { deleteInPages } from '../database/delete-in-pages.ts';
import type { Tables } from '../database/tables.ts';

const pageSize = 1_000;

/**
 * Deletes the events that were written before, the oldest first, a page at a time. Answers how many.
 *
 * @param signal ends it after the page in hand
 */
export function purgeAiEvents(
  db: Kysely<Tables>,
  { writtenBefore, signal }: { writtenBefore: Date; signal: AbortSignal },
): Promise<number> {
  return deleteInPages(
    async (limit) => {
      const { numDeletedRows } = await db
        .deleteFrom('ai_events')
        .where('created_at', '<', writtenBefore)
        .orderBy('created_at')
        .limit(limit)
        .executeTakeFirstOrThrow();
      return numDeletedRows;
    },
    { pageSize, signal },
  );
}
