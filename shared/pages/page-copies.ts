import { createHash } from 'node:crypto';
import type { RedisClient } from '../queue/connect-redis.ts';

/** A copy is a minute old at most, so that whoever writes pages past the fleet is seen soon. */
export const copyKeptMs = 60_000;
/** Longer than reading a row takes: who read the page before it changed does not bring it back. */
const changedForMs = 30_000;

/** Where the copy of a page is in the Redis of the caches. A hash, because nobody's id may stand in a key. */
export function pageCopyKey(userId: string, pageKey: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([userId, pageKey]))
    .digest('base64url');
  return `presage:page:${digest}`;
}

/**
 * Says that a page has changed or is gone: its copy is dropped, and no other one is kept for half a minute.
 *
 * @throws what the Redis client throws
 */
export async function dropPageCopy(redis: RedisClient, userId: string, pageKey: string): Promise<void> {
  await redis.set(pageCopyKey(userId, pageKey), '', 'PX', changedForMs);
}
