import type { Kysely } from 'kysely';
import { deleteInPages } from '../database/delete-in-pages.ts';
import type { Tables } from '../database/tables.ts';

const pageSize = 500;

/**
 * Deletes the journal's calls that were begun before, the oldest first, a page at a time. Answers how many.
 *
 * @param signal ends it after the page in hand
 */
export function purgeLlmCalls(
  db: Kysely<Tables>,
  { begunBefore, signal }: { begunBefore: Date; signal: AbortSignal },
): Promise<number> {
  return deleteInPages(
    async (limit) => {
      const { numDeletedRows } = await db
        .deleteFrom('llm_calls')
        .where('started_at', '<', begunBefore)
        .orderBy('started_at')
        .limit(limit)
        .executeTakeFirstOrThrow();
      return numDeletedRows;
    },
    { pageSize, signal },
  );
}
