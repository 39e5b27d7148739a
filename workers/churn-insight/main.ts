import { awsSettings } from '../../shared/config/aws-settings.ts';
import { dynamodbSettings } from '../../shared/config/dynamodb-settings.ts';
import { insightSettings } from '../../shared/config/insight-settings.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { textGenerationSettings } from '../../shared/config/text-generation-settings.ts';
import { vendorSettings } from '../../shared/config/vendor-settings.ts';
import { churnInsight } from '../../shared/contracts/churn-insight.ts';
import { openInsightTable } from '../../shared/dynamodb/insight-table.ts';
import type { PrepareWorker } from '../../shared/queue/worker-clients.ts';
import { openBedrockThenOpenai } from '../../shared/text-generation/open-bedrock-then-openai.ts';
import { handleChurnInsight, type ChurnInsightDependencies } from './handle-churn-insight.ts';
import { openInsightNotification } from './insight-notification.ts';

/** As in document 002. */
const callTimeoutMs = 30_000;

export const prepareWorker: PrepareWorker = (environment) => {
  const settings = readSettings(
    {
      aws: awsSettings,
      dynamodb: dynamodbSettings,
      text: textGenerationSettings,
      vendors: vendorSettings,
      insight: insightSettings,
    },
    environment,
  );
  const { insight, text, vendors } = settings;
  const { mayAskInstanceMetadata } = settings.aws;

  return async (resources, clients) => {
    const { log, metrics, consume } = clients;
    const { textGeneration, bedrockIsConfigured } = await openBedrockThenOpenai(
      {
        queue: churnInsight.name,
        vendors,
        bedrockModel: insight.model,
        mayAskInstanceMetadata,
        limits: text.limits,
      },
      resources,
      clients,
    );
    const table = resources.use(openInsightTable({ ...settings.dynamodb, mayAskInstanceMetadata }, log));
    const dependencies: ChurnInsightDependencies = {
      textGeneration,
      bedrockIsConfigured,
      policy: { patienceMs: insight.patienceMs, degradedAnswers: text.degradedAnswers },
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
    return async () => ({
      dynamodb: (await table.isUp()) ? 'ok' : 'failed',
      llm: textGeneration.isConfigured ? 'ok' : 'degraded',
    });
  };
};
