import type { RedisClient } from './connect-redis.ts';

/**
 * Takes jobs out of Redis whose data or options are not JSON. BullMQ fails before it hands such a job to anybody,
 * at every pick-up anew, so it would go round for ever (pinned by the test "a job whose data is not JSON").
 * What several processes find at once, one of them gets. Answers what stood where each job's data belongs.
 *
 * @param prefix the queue's BullMQ prefix
 */
export async function removeUnreadableJobs(
  redis: RedisClient,
  prefix: string,
  queue: string,
): Promise<string[]> {
  const key = (suffix: string) => `${prefix}:${queue}:${suffix}`;
  const removed: string[] = [];
  for (const redisJobId of await redis.lrange(key('active'), 0, -1)) {
    const [data, options] = await redis.hmget(key(redisJobId), 'data', 'opts');
    if (isJson(data ?? '{}') && isJson(options ?? '{}')) continue;
    if ((await redis.lrem(key('active'), 1, redisJobId)) === 0) continue;
    await redis.del(key(redisJobId), key(`${redisJobId}:lock`));
    removed.push(data ?? '');
  }
  return removed;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
