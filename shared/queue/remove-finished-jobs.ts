import type { RedisClient } from './connect-redis.ts';
import type { RedisKeys } from './redis-keys.ts';

/** Jobs whose data is fetched at once: up to 32 KiB each. */
const pageSize = 200;

/**
 * Takes finished jobs out of Redis whose data matches; the ledger keeps them. Redis holds a few thousand finished
 * jobs of a queue at most (`redisRetention`). Answers how many it took.
 */
export async function removeFinishedJobs(
  redis: RedisClient,
  keys: RedisKeys,
  queue: string,
  matches: (data: string) => boolean,
): Promise<number> {
  const key = (suffix: string) => `${keys.prefix(queue)}:${queue}:${suffix}`;
  let removed = 0;
  for (const state of ['completed', 'failed']) {
    const redisJobIds = await redis.zrange(key(state), '0', '-1');
    for (let start = 0; start < redisJobIds.length; start += pageSize) {
      const page = redisJobIds.slice(start, start + pageSize);
      const data = await Promise.all(page.map((redisJobId) => redis.hget(key(redisJobId), 'data')));
      for (const [index, redisJobId] of page.entries()) {
        if (!matches(data[index] ?? '')) continue;
        removed += await redis.zrem(key(state), redisJobId);
        await redis.del(key(redisJobId), key(`${redisJobId}:logs`));
      }
    }
  }
  return removed;
}
