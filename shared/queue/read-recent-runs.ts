import type { RedisClient } from './connect-redis.ts';
import type { RedisKeys } from './redis-keys.ts';

/**
 * How long each of the jobs took that were completed last, in milliseconds, at most so many: from when a worker took it
 * for its last attempt. BullMQ writes both instants anyway, so nothing is kept for this. Empty when Redis was wiped.
 * Rejects when Redis is away.
 */
export async function readRecentRuns(
  redis: RedisClient,
  keys: RedisKeys,
  queue: string,
  limit: number,
): Promise<number[]> {
  const key = (suffix: string) => `${keys.prefix(queue)}:${queue}:${suffix}`;
  const redisJobIds = await redis.zrevrange(key('completed'), 0, limit - 1);
  const instants = await Promise.all(
    redisJobIds.map((redisJobId) => redis.hmget(key(redisJobId), 'processedOn', 'finishedOn')),
  );
  // A job that is removed meanwhile has neither.
  return instants.flatMap(([taken, finished]) =>
    taken && finished ? [Math.max(0, Number(finished) - Number(taken))] : [],
  );
}
