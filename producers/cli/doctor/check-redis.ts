import type { RedisSettings } from '../../../shared/config/redis-settings.ts';
import { inspectRedis, type RedisServer } from '../../../shared/queue/inspect-redis.ts';
import { reporterFor, type Finding } from './finding.ts';
import { judgeRedis } from './judge-redis.ts';
import { redisProblem } from '../../../shared/queue/redis-problem.ts';

/** The Redis of the queues: on a cluster, each primary. */
export async function checkRedis(settings: RedisSettings): Promise<Finding[]> {
  let servers: RedisServer[];
  try {
    servers = await inspectRedis(settings);
  } catch (error) {
    const { finding, mend } = redisProblem(error, settings);
    return [reporterFor('redis').fail('connection', finding, mend)];
  }
  return judgeRedis(servers, settings.kind === 'cluster');
}
