import type { Kysely } from 'kysely';
import { deleteInPages } from '../database/delete-in-pages.ts';
import type { Tables } from '../database/tables.ts';

const pageSize = 1_000;

/**
 * Deletes the events that occurred before, the oldest first, a page at a time. Answers how many.
 *
 * @param signal ends it after the page in hand
 */
export function purgeActivity(
  db: Kysely<Tables>,
  { occurredBefore, signal }: { occurredBefore: Date; signal: AbortSignal },
): Promise<number> {
  return deleteInPages(
    async (limit) => {
      const { numDeletedRows } = await db
        .deleteFrom('activity_log')
        .where('occurred_at', '<', occurredBefore)
        .orderBy('occurred_at')
        .limit(limit)
        .executeTakeFirstOrThrow();
      return numDeletedRows;
    },
    { pageSize, signal },
  );
}
