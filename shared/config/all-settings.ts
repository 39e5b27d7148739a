import { advancedMlSettings } from './advanced-ml-settings.ts';
import { awsSettings } from './aws-settings.ts';
import { callTimeSettings } from './call-time-settings.ts';
import { contentSettings } from './content-settings.ts';
import { dashboardSettings } from './dashboard-settings.ts';
import { databaseSettings } from './database-settings.ts';
import { dynamodbSettings } from './dynamodb-settings.ts';
import { executionSettings } from './execution-settings.ts';
import { httpSettings } from './http-settings.ts';
import { insightSettings } from './insight-settings.ts';
import { patternSettings } from './pattern-settings.ts';
import { leadScoringSettings } from './lead-scoring-settings.ts';
import { modelSettings } from './model-settings.ts';
import { processSettings } from './process-settings.ts';
import { producerSettings } from './producer-settings.ts';
import { cacheRedisSettings, redisSettings } from './redis-settings.ts';
import { retentionSettings } from './retention-settings.ts';
import { servingSettings } from './serving-settings.ts';
import { scheduleSettings } from './schedule-settings.ts';
import { smokeSettings } from './smoke-settings.ts';
import { textGenerationSettings } from './text-generation-settings.ts';
import { tlsSettings } from './tls-settings.ts';
import { tracingSettings } from './tracing-settings.ts';
import { vendorSettings } from './vendor-settings.ts';
import { webhookSettings } from './webhook-settings.ts';
import { workerSettings } from './worker-settings.ts';

/** Every group of variables but those that say where the stores are: `presage up` brings its own. */
export const settingsBesideStores = {
  process: processSettings,
  http: httpSettings,
  webhook: webhookSettings,
  advancedMl: advancedMlSettings,
  dashboard: dashboardSettings,
  producer: producerSettings,
  retention: retentionSettings,
  aws: awsSettings,
  tracing: tracingSettings,
  tls: tlsSettings,
  worker: workerSettings,
  cacheRedis: cacheRedisSettings,
  callTime: callTimeSettings,
  dynamodb: dynamodbSettings,
  textGeneration: textGenerationSettings,
  vendors: vendorSettings,
  insight: insightSettings,
  patterns: patternSettings,
  schedules: scheduleSettings,
  content: contentSettings,
  model: modelSettings,
  leadScoring: leadScoringSettings,
  smoke: smokeSettings,
  serving: servingSettings,
  execution: executionSettings,
};

/** Every group of variables, so that all of the environment can be checked at once. */
export const allSettings = { ...settingsBesideStores, redis: redisSettings, database: databaseSettings };
