import type { Kysely } from 'kysely';
import { deleteInPages } from '../database/delete-in-pages.ts';
import type { Tables } from '../database/tables.ts';

const pageSize = 500;

/**
 * Deletes the idempotency keys that have expired, the oldest first, a page at a time. Answers how many.
 *
 * @param signal ends it after the page in hand
 */
export function purgeIdempotencyKeys(db: Kysely<Tables>, now: Date, signal: AbortSignal): Promise<number> {
  return deleteInPages(
    async (limit) => {
      const { numDeletedRows } = await db
        .deleteFrom('idempotency_keys')
        .where('expires_at', '<', now)
        .orderBy('expires_at')
        .limit(limit)
        .executeTakeFirstOrThrow();
      return numDeletedRows;
    },
    { pageSize, signal },
  );
}
