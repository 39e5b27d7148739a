import { v4 as uuid } from 'uuid';
import { hasCredentials } from '../../shared/aws/has-credentials.ts';
import { awsSettings } from '../../shared/config/aws-settings.ts';
import { dynamodbSettings } from '../../shared/config/dynamodb-settings.ts';
import { insightSettings, type InsightSettings } from '../../shared/config/insight-settings.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { textGenerationSettings } from '../../shared/config/text-generation-settings.ts';
import { churnInsight } from '../../shared/contracts/churn-insight.ts';
import { openInsightTable } from '../../shared/dynamodb/insight-table.ts';
import { connectRedis } from '../../shared/queue/connect-redis.ts';
import type { PrepareWorker } from '../../shared/queue/worker-clients.ts';
import { openBedrock } from '../../shared/text-generation/bedrock.ts';
import { openOpenai } from '../../shared/text-generation/openai.ts';
import { openTextGeneration } from '../../shared/text-generation/open-text-generation.ts';
import type { TextGenerator } from '../../shared/text-generation/text-generator.ts';
import { handleChurnInsight, type ChurnInsightDependencies } from './handle-churn-insight.ts';
import { openInsightNotification } from './insight-notification.ts';

/** How long the credentials of AWS are looked for at start. */
const credentialsWithinMs = 2_000;

/** What the fleet has asked for is counted in Redis, so the first job waits a moment for it. */
const redisWaitMs = 1_000;

/** As in document 002. */
const callTimeoutMs = 30_000;

/** For servers of one's own, most of which check none; the SDK wants one. */
const placeholderKey = 'no-key';

export const prepareWorker: PrepareWorker = (environment) => {
  const settings = readSettings(
    { aws: awsSettings, dynamodb: dynamodbSettings, text: textGenerationSettings, insight: insightSettings },
    environment,
  );
  const { insight } = settings;
  const { mayAskInstanceMetadata } = settings.aws;

  return async (resources, { redis, database, log, metrics, consume }) => {
    const bedrock = { ...insight.bedrock, mayAskInstanceMetadata };
    const bedrockIsConfigured = insight.useBedrock && (await hasCredentials(bedrock, credentialsWithinMs));
    const generators: TextGenerator[] = [];
    if (bedrockIsConfigured) generators.push(resources.use(openBedrock(bedrock)));
    const openai = openaiOptions(insight);
    if (openai) generators.push(resources.use(openOpenai(openai)));

    const models = generators.map(({ provider, model }) => `${provider}/${model}`);
    if (models.length > 0) log.info({ models }, 'the models that are asked, in this order');
    else log.warn('neither Bedrock nor OpenAI is configured: no model can be asked');
    if (insight.useBedrock && !bedrockIsConfigured) {
      log.warn('no AWS credentials were found: Bedrock is not asked until the worker is started again');
    }

    const limits = resources.use(connectRedis(redis, 'producer', log));
    await limits.untilReady(redisWaitMs);
    const table = resources.use(openInsightTable({ ...settings.dynamodb, mayAskInstanceMetadata }, log));
    const dependencies: ChurnInsightDependencies = {
      textGeneration: resources.use(
        openTextGeneration({
          queue: churnInsight.name,
          generators,
          limits: settings.text.limits,
          db: database.db,
          redis: limits.client,
          metrics,
          log,
          processId: uuid(),
        }),
      ),
      bedrockIsConfigured,
      policy: { patienceMs: insight.patienceMs, degradedAnswers: settings.text.degradedAnswers },
      table,
      notification:
        insight.notify &&
        resources.use(openInsightNotification({ ...insight.notify, mayAskInstanceMetadata })),
      ttlDays: insight.ttlDays,
      callTimeoutMs,
      metrics,
    };
    consume(
      churnInsight,
      { start: (payload, context) => handleChurnInsight(payload, context, dependencies) },
      { ownStoreIsUp: () => table.isUp() },
    );
    return async () => ({ dynamodb: (await table.isUp()) ? 'ok' : 'failed' });
  };
};

/** OpenAI is configured by its key or by the address of a server that speaks its protocol. */
function openaiOptions({ openai: { apiKey, baseUrl, model } }: InsightSettings) {
  if (apiKey === undefined && baseUrl === undefined) return undefined;
  return { apiKey: apiKey ?? placeholderKey, baseUrl, model };
}
