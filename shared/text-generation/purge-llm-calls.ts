import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

const pageSize = 500;
const pauseBetweenPagesMs = 100;

/**
 * Deletes the journal's calls that were begun before, the oldest first, a page at a time. Answers how many.
 *
 * @param signal ends it after the page in hand
 */
export async function purgeLlmCalls(
  db: Kysely<Tables>,
  { begunBefore, signal }: { begunBefore: Date; signal: AbortSignal },
): Promise<number> {
  let deleted = 0;
  while (!signal.aborted) {
    const { numDeletedRows } = await db
      .deleteFrom('llm_calls')
      .where('started_at', '<', begunBefore)
      .orderBy('started_at')
      .limit(pageSize)
      .executeTakeFirstOrThrow();
    deleted += Number(numDeletedRows);
    if (numDeletedRows < pageSize) break;
    await delay(pauseBetweenPagesMs, undefined, { signal }).catch(() => undefined);
  }
  return deleted;
}
