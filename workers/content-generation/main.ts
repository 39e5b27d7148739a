import { readUserActivity } from '../../shared/activity/read-user-activity.ts';
import { awsSettings } from '../../shared/config/aws-settings.ts';
import { contentSettings } from '../../shared/config/content-settings.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { cacheRedisSettings } from '../../shared/config/redis-settings.ts';
import { textGenerationSettings } from '../../shared/config/text-generation-settings.ts';
import { vendorSettings } from '../../shared/config/vendor-settings.ts';
import { contentGeneration } from '../../shared/contracts/content-generation.ts';
import { dropPageCopy } from '../../shared/pages/page-copies.ts';
import { dayMs } from '../../shared/patterns/local-day.ts';
import { connectRedis } from '../../shared/queue/connect-redis.ts';
import type { PrepareWorker } from '../../shared/queue/worker-clients.ts';
import { openBedrockThenOpenai } from '../../shared/text-generation/open-bedrock-then-openai.ts';
import { handleContentGeneration, type ContentGenerationDependencies } from './handle-content-generation.ts';
import { openExpiry } from './open-expiry.ts';
import { factsOfDays } from './page-facts.ts';
import { createPredictionRows } from './prediction-rows.ts';

const callTimeoutMs = 60_000;
/** Of one user's events; of more, the latest ones count. */
const eventLimit = 20_000;
/** Days are local, and clocks are up to fourteen hours apart from ours. */
const marginDays = 2;

export const prepareWorker: PrepareWorker = (environment) => {
  const settings = readSettings(
    {
      aws: awsSettings,
      cacheRedis: cacheRedisSettings,
      text: textGenerationSettings,
      vendors: vendorSettings,
      content: contentSettings,
    },
    environment,
  );
  const { content, text, vendors } = settings;

  return async (resources, clients) => {
    const { database, log, metrics, consume } = clients;
    const { db } = database;
    const { textGeneration, bedrockIsConfigured } = await openBedrockThenOpenai(
      {
        queue: contentGeneration.name,
        vendors,
        bedrockModel: content.model,
        mayAskInstanceMetadata: settings.aws.mayAskInstanceMetadata,
        limits: text.limits,
      },
      resources,
      clients,
    );
    const cache = resources.use(connectRedis(settings.cacheRedis ?? clients.redis, 'producer', log));
    resources.use(openExpiry(db, log));
    const dependencies: ContentGenerationDependencies = {
      rows: createPredictionRows({ db, pageTtlSeconds: content.pageTtlSeconds, now: Date.now }),
      readActivity: (userId, nowMs) =>
        readUserActivity(db, userId, {
          from: new Date(nowMs - (factsOfDays + marginDays) * dayMs),
          before: new Date(nowMs),
          limit: eventLimit,
        }),
      textGeneration,
      bedrockIsConfigured,
      policy: { patienceMs: content.patienceMs, degradedAnswers: text.degradedAnswers },
      dropCopy: (userId, pageKey) => dropPageCopy(cache.client, userId, pageKey),
      callTimeoutMs,
      now: Date.now,
      metrics,
    };
    consume(contentGeneration, {
      start: (payload, context) => handleContentGeneration(payload, context, dependencies),
    });
    return () => Promise.resolve({ llm: textGeneration.isConfigured ? 'ok' : 'degraded' });
  };
};
