import type { Kysely } from 'kysely';
import type { Tables } from '../../shared/database/tables.ts';
import type { RedisClient } from '../../shared/queue/connect-redis.ts';

/** Everything that MySQL and Redis hold, as one text. */
export async function readEverything(db: Kysely<Tables>, redis: RedisClient): Promise<string> {
  const rows = [
    await db.selectFrom('jobs').selectAll().execute(),
    await db.selectFrom('llm_calls').selectAll().execute(),
    await db.selectFrom('call_time_predictions').selectAll().execute(),
    await db.selectFrom('idempotency_keys').selectAll().execute(),
    await db.selectFrom('activity_log').selectAll().execute(),
    await db.selectFrom('activity_looks').selectAll().execute(),
    await db.selectFrom('outcomes').selectAll().execute(),
    await db.selectFrom('generation_queue').selectAll().execute(),
    await db.selectFrom('page_cache').selectAll().execute(),
    await db.selectFrom('leads').selectAll().execute(),
    await db.selectFrom('lead_scores').selectAll().execute(),
    await db.selectFrom('lead_shadow_scores').selectAll().execute(),
    await db.selectFrom('ai_events').selectAll().execute(),
  ];
  const values = await Promise.all(
    (await redis.keys('*')).sort().map(async (key) => {
      switch (await redis.type(key)) {
        case 'string':
          return [key, await redis.get(key)];
        case 'hash':
          return [key, await redis.hgetall(key)];
        case 'list':
          return [key, await redis.lrange(key, 0, -1)];
        case 'stream':
          return [key, await redis.xrange(key, '-', '+')];
        default:
          return [key];
      }
    }),
  );
  return JSON.stringify([rows, values]);
}
