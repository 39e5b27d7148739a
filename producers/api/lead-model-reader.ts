import { leadScoring } from '../../shared/contracts/lead-scoring.ts';
import { StoreUnavailableError } from '../../shared/errors/job-error.ts';
import { readServedModels } from '../../shared/models/read-served-models.ts';
import type { ServedModelReport } from '../../shared/models/served-model-report.ts';
import type { RedisConnection } from '../../shared/queue/connect-redis.ts';
import type { RedisKeys } from '../../shared/queue/redis-keys.ts';

/**
 * What the workers that score leads have loaded, as they told lately.
 *
 * @throws StoreUnavailableError when Redis is away
 */
export type ReadLeadModels = () => Promise<ServedModelReport[]>;

export function createLeadModelReader(clients: { redis: RedisConnection; keys: RedisKeys }): ReadLeadModels {
  const { redis, keys } = clients;
  return async () => {
    try {
      return await readServedModels(redis.client, keys.servedModels(leadScoring.name), Date.now());
    } catch (error) {
      throw new StoreUnavailableError('redis', error);
    }
  };
}
