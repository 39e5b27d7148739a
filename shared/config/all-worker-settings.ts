import { callTimeSettings } from './call-time-settings.ts';
import { cacheRedisSettings } from './redis-settings.ts';
import { workerSettings } from './worker-settings.ts';

/** What the workers read beside the addresses of the stores, so that all of it can be checked before any starts. */
export const allWorkerSettings = {
  worker: workerSettings,
  cacheRedis: cacheRedisSettings,
  callTime: callTimeSettings,
};
