import { v4 as uuid } from 'uuid';
import { connectRedis } from '../queue/connect-redis.ts';
import type { WorkerClients } from '../queue/worker-clients.ts';
import {
  openTextGeneration,
  type TextGeneration,
  type TextGenerationOptions,
} from './open-text-generation.ts';

/** What the fleet has asked for is counted in Redis, so the first job waits a moment for it. */
const redisWaitMs = 1_000;

/** Opens for a worker who writes its texts, with counters in the worker's Redis, and says who is asked. */
export async function openWorkerGeneration(
  options: Pick<TextGenerationOptions, 'queue' | 'generators' | 'limits'>,
  resources: AsyncDisposableStack,
  { redis, database: { db }, log, metrics }: Pick<WorkerClients, 'redis' | 'database' | 'log' | 'metrics'>,
): Promise<TextGeneration> {
  const { queue, generators } = options;
  const models = generators.map(({ provider, model }) => `${provider}/${model}`);
  if (models.length > 0) log.info({ queue, models }, 'the models that are asked, in this order');

  const counters = resources.use(connectRedis(redis, 'producer', log));
  await counters.untilReady(redisWaitMs);
  return resources.use(
    openTextGeneration({ ...options, db, redis: counters.client, metrics, log, processId: uuid() }),
  );
}
