import { awsSettings } from './aws-settings.ts';
import { callTimeSettings } from './call-time-settings.ts';
import { dashboardSettings } from './dashboard-settings.ts';
import { databaseSettings } from './database-settings.ts';
import { httpSettings } from './http-settings.ts';
import { processSettings } from './process-settings.ts';
import { producerSettings } from './producer-settings.ts';
import { cacheRedisSettings, redisSettings } from './redis-settings.ts';
import { retentionSettings } from './retention-settings.ts';
import { tracingSettings } from './tracing-settings.ts';
import { workerSettings } from './worker-settings.ts';

/** Every group of variables but those that say where the stores are: `presage up` brings its own. */
export const settingsBesideStores = {
  process: processSettings,
  http: httpSettings,
  dashboard: dashboardSettings,
  producer: producerSettings,
  retention: retentionSettings,
  aws: awsSettings,
  tracing: tracingSettings,
  worker: workerSettings,
  cacheRedis: cacheRedisSettings,
  callTime: callTimeSettings,
};

/** Every group of variables, so that all of the environment can be checked at once. */
export const allSettings = { ...settingsBesideStores, redis: redisSettings, database: databaseSettings };
