import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import type { RedisClient } from '../queue/connect-redis.ts';
import { dropPageCopy } from './page-copies.ts';

const rowsPerStatement = 500;

/**
 * Deletes a user's pages and their copies in the Redis of the caches. Answers how many pages there were. Pages that
 * are still being made come later, unless their rows of `generation_queue` are gone before.
 *
 * @throws StoreUnavailableError, or what the Redis client throws: then it is to be done again
 */
export async function forgetPages(
  userId: string,
  { db, redis }: { db: Kysely<Tables>; redis: RedisClient },
): Promise<number> {
  let forgotten = 0;
  for (let found = rowsPerStatement; found === rowsPerStatement;) {
    const pages = await db
      .selectFrom('page_cache')
      .select(['user_id', 'page_key'])
      .where('user_id', '=', userId)
      .limit(rowsPerStatement)
      .execute();
    found = pages.length;
    for (const page of pages) {
      // The copies first: without its row, nobody would find a page's copy again.
      await dropPageCopy(redis, page.user_id, page.page_key);
      await db
        .deleteFrom('page_cache')
        .where((row) => row.and(page))
        .execute();
      forgotten += 1;
    }
  }
  return forgotten;
}
