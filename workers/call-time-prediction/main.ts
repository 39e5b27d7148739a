import { callTimeSettings } from '../../shared/config/call-time-settings.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { cacheRedisSettings } from '../../shared/config/redis-settings.ts';
import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import { connectRedis } from '../../shared/queue/connect-redis.ts';
import type { PrepareWorker } from '../../shared/queue/worker-clients.ts';
import { createCallTimeModel } from './call-time-model.ts';
import { handleCallTimePrediction, type CallTimeDependencies } from './handle-call-time-prediction.ts';
import { loadPhoneTimezones } from './phone-timezone.ts';
import { createPredictionCache } from './prediction-cache.ts';
import { createPredictionRows } from './prediction-rows.ts';
import { createTimezoneResolver } from './resolve-timezone.ts';
import { openSagemakerEndpoint } from '../../shared/sagemaker/sagemaker-endpoint.ts';

/** What is in the cache need not be paid for again, so the first job waits a moment for it. */
const cacheWaitMs = 1_000;

export const prepareWorker: PrepareWorker = (environment) => {
  const { callTime: settings, cacheRedis } = readSettings(
    { callTime: callTimeSettings, cacheRedis: cacheRedisSettings },
    environment,
  );
  const { endpointName } = settings;

  return async (resources, { redis, database, log, metrics, consume }) => {
    const cacheConnection = resources.use(connectRedis(cacheRedis ?? redis, 'cache', log));
    await cacheConnection.untilReady(cacheWaitMs);
    if (endpointName === undefined) {
      log.warn('SAGEMAKER_ENDPOINT_NAME is not set: the default pattern answers');
    }
    const dependencies: CallTimeDependencies = {
      resolveTimezone: createTimezoneResolver(await loadPhoneTimezones()),
      cache: createPredictionCache({
        redis: cacheConnection.client,
        ttlSeconds: settings.cacheTtlSeconds,
        endpointConfigured: endpointName !== undefined,
        metrics,
      }),
      model:
        endpointName === undefined
          ? undefined
          : createCallTimeModel({
              endpoint: resources.use(openSagemakerEndpoint({ ...settings, endpointName })),
              parallelism: settings.parallelism,
              metrics,
              log,
            }),
      rows: resources.use(createPredictionRows(database.db)),
      now: () => Date.now(),
    };
    consume(callTimePrediction, {
      start: (payload, context) => handleCallTimePrediction(payload, context, dependencies),
    });
    return () => Promise.resolve({ sagemaker: endpointName === undefined ? 'degraded' : 'ok' });
  };
};
