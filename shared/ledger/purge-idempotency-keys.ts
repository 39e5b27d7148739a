import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

const pageSize = 500;
const pauseBetweenPagesMs = 100;

/**
 * Deletes the idempotency keys that have expired, the oldest first, a page at a time. Answers how many.
 *
 * @param signal ends it after the page in hand
 */
export async function purgeIdempotencyKeys(
  db: Kysely<Tables>,
  now: Date,
  signal: AbortSignal,
): Promise<number> {
  let deleted = 0;
  while (!signal.aborted) {
    const { numDeletedRows } = await db
      .deleteFrom('idempotency_keys')
      .where('expires_at', '<', now)
      .orderBy('expires_at')
      .limit(pageSize)
      .executeTakeFirstOrThrow();
    deleted += Number(numDeletedRows);
    if (numDeletedRows < pageSize) break;
    await delay(pauseBetweenPagesMs, undefined, { signal }).catch(() => undefined);
  }
  return deleted;
}
