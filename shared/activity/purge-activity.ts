import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

const pageSize = 1_000;
const pauseBetweenPagesMs = 100;

/**
 * Deletes the events that occurred before, the oldest first, a page at a time. Answers how many.
 *
 * @param signal ends it after the page in hand
 */
export async function purgeActivity(
  db: Kysely<Tables>,
  { occurredBefore, signal }: { occurredBefore: Date; signal: AbortSignal },
): Promise<number> {
  let deleted = 0;
  while (!signal.aborted) {
    const { numDeletedRows } = await db
      .deleteFrom('activity_log')
      .where('occurred_at', '<', occurredBefore)
      .orderBy('occurred_at')
      .limit(pageSize)
      .executeTakeFirstOrThrow();
    deleted += Number(numDeletedRows);
    if (numDeletedRows < pageSize) break;
    await delay(pauseBetweenPagesMs, undefined, { signal }).catch(() => undefined);
  }
  return deleted;
}
