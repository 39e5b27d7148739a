import { isConfigured } from '../../../shared/config/embedded-parts.ts';
import { modelSettings } from '../../../shared/config/model-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { redisSettings } from '../../../shared/config/redis-settings.ts';
import { connectRedis } from '../../../shared/queue/connect-redis.ts';
import { RedisKeys } from '../../../shared/queue/redis-keys.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import type { CliContext } from '../cli-context.ts';

const redisWaitMs = 1_000;

/**
 * Tells the workers at once that another version of a model is to be served. Where they cannot be told, says when they
 * will notice by themselves: the registry has been changed, so that is no failure.
 */
export async function announceChange(
  modelId: string,
  { environment, messages }: Pick<CliContext, 'environment' | 'messages'>,
): Promise<void> {
  if (await publish(modelId, environment)) return;
  const { cacheTtlSeconds } = readSettings({ model: modelSettings }, environment).model;
  messages.write(
    `The workers could not be told: Redis does not answer. They notice within ${cacheTtlSeconds} s ` +
      '(ML_CACHE_TTL_SECONDS).\n',
  );
}

async function publish(modelId: string, environment: CliContext['environment']): Promise<boolean> {
  if (!isConfigured('redis', environment)) return false;
  const { redis } = readSettings({ redis: redisSettings }, environment);
  await using connection = connectRedis(redis, 'producer', createLogger({ process: 'cli', level: 'error' }));
  await connection.untilReady(redisWaitMs);
  try {
    await connection.client.publish(new RedisKeys().modelsChannel(), modelId);
    return true;
  } catch {
    return false;
  }
}
