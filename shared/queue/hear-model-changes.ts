import type { Logger } from '../telemetry/create-logger.ts';
import type { RedisClient } from './connect-redis.ts';
import { hearChannel } from './hear-channel.ts';
import type { RedisKeys } from './redis-keys.ts';

/**
 * Calls back when somebody says that another version of a model is to be served. What is said while Redis is away is
 * not heard: whoever needs to know looks from time to time as well.
 *
 * @param subscriber a connection of its own: a subscribed connection can do nothing else
 */
export function hearModelChanges(
  subscriber: RedisClient,
  { keys, log }: { keys: RedisKeys; log: Logger },
  onChange: (modelId: string) => void,
): void {
  hearChannel(subscriber, keys.modelsChannel(), onChange, log);
}
