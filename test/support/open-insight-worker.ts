import { v7 as uuid } from 'uuid';
import { churnInsight, type Insight } from '../../shared/contracts/churn-insight.ts';
import { openInsightTable, type InsightTable } from '../../shared/dynamodb/insight-table.ts';
import { connectRedis } from '../../shared/queue/connect-redis.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../shared/telemetry/create-metrics.ts';
import { openBedrock } from '../../shared/text-generation/bedrock.ts';
import { openOpenai } from '../../shared/text-generation/openai.ts';
import { openTextGeneration } from '../../shared/text-generation/open-text-generation.ts';
import {
  handleChurnInsight,
  type ChurnInsightDependencies,
} from '../../workers/churn-insight/handle-churn-insight.ts';
import { makeJobContext } from './make-job-context.ts';
import type { InsightStores } from './open-insight-stores.ts';
import { testRedisSettings } from './open-test-fleet.ts';
import { busyMachineMs, until } from './until.ts';

export const bedrockModel = 'anthropic.claude-haiku-4-5-20251001-v1:0';
export const openaiModel = 'gpt-4.1';

export interface InsightWorkerOptions extends Partial<
  Pick<ChurnInsightDependencies, 'notification' | 'policy' | 'callTimeoutMs'>
> {
  withBedrock?: boolean;
  withOpenai?: boolean;
}

/** The insight worker's real parts, with the real SDKs before the stores' local servers. */
export interface InsightWorker extends AsyncDisposable {
  table: InsightTable;
  metrics: Metrics;
  logLines: string[];
  /** Does one run of a job, of a new one unless the context names one. */
  run(payload: unknown, context?: Partial<JobContext>): Promise<Insight>;
}

export async function openInsightWorker(
  stores: InsightStores,
  options: InsightWorkerOptions = {},
): Promise<InsightWorker> {
  const { withBedrock = true, withOpenai = true, notification, callTimeoutMs = busyMachineMs } = options;
  const { policy = { patienceMs: 60_000, degradedAnswers: 'allow' as const } } = options;
  const { llm, dynamodbSettings, database } = stores;
  const resources = new AsyncDisposableStack();
  const logLines: string[] = [];
  const log = createLogger({ process: 'test', level: 'trace', write: (line) => logLines.push(line) });
  const metrics = resources.use(createMetrics());
  const redis = resources.use(connectRedis(testRedisSettings(), 'producer', log));
  await until(() => redis.isUp());
  const bedrock = { region: 'us-east-1', endpointUrl: llm.url, model: bedrockModel };
  const openai = { apiKey: 'key-of-the-test', baseUrl: llm.chatUrl, model: openaiModel };
  const table = resources.use(
    openInsightTable(
      { ...dynamodbSettings, mayAskInstanceMetadata: false, callTimeoutMs: busyMachineMs },
      log,
    ),
  );
  const dependencies: ChurnInsightDependencies = {
    textGeneration: resources.use(
      openTextGeneration({
        queue: churnInsight.name,
        generators: [
          ...(withBedrock ? [resources.use(openBedrock(bedrock))] : []),
          ...(withOpenai ? [resources.use(openOpenai(openai))] : []),
        ],
        limits: {},
        db: database.db,
        redis: redis.client,
        metrics,
        log,
        processId: uuid(),
      }),
    ),
    bedrockIsConfigured: withBedrock,
    policy,
    table,
    notification,
    ttlDays: 90,
    callTimeoutMs,
    metrics,
  };
  return {
    table,
    metrics,
    logLines,
    run(payload, context = {}) {
      return handleChurnInsight(
        churnInsight.payload.parse(payload),
        makeJobContext({ log, ...context }),
        dependencies,
      );
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
