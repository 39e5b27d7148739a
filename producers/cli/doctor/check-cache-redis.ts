import type { RedisSettings } from '../../../shared/config/redis-settings.ts';
import { inspectRedis } from '../../../shared/queue/inspect-redis.ts';
import { reporterFor, type Finding } from './finding.ts';
import { redisAddress, redisProblem } from '../../../shared/queue/redis-problem.ts';

const report = reporterFor('cache redis');

/** The Redis that holds the caches alone, where there is one: it may forget whatever it likes. */
export async function checkCacheRedis(settings: RedisSettings | undefined): Promise<Finding[]> {
  if (!settings)
    return [report.ok('connection', 'not configured: the caches are in the Redis of the queues')];
  try {
    const [server] = await inspectRedis(settings);
    const answers = report.ok('connection', `${redisAddress(settings)} answers`);
    if (server?.mode === 'cluster') {
      return [
        report.fail(
          'connection',
          `${redisAddress(settings)} is a node of a cluster: it holds a part of the caches only`,
          'Name a single server in CACHE_REDIS_URL, or leave it out where the queues are on a cluster.',
        ),
      ];
    }
    if (!server || server.maxMemoryBytes === 0 || server.evictionPolicy !== 'noeviction') return [answers];
    return [
      answers,
      report.warn(
        'eviction',
        'maxmemory-policy is noeviction: once its memory is full, nothing new is cached',
        'Set maxmemory-policy allkeys-lru (CONFIG SET, and in its configuration).',
      ),
    ];
  } catch (error) {
    const { finding, mend } = redisProblem(error, settings, {
      address: 'CACHE_REDIS_URL',
      credentials: 'the user and password in CACHE_REDIS_URL',
      tls: 'rediss:// in CACHE_REDIS_URL',
    });
    return [report.fail('connection', finding, mend)];
  }
}
