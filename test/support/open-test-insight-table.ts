import { DynamoDBClient, paginateScan, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { v7 as uuid } from 'uuid';
import type { DynamodbSettings } from '../../shared/config/dynamodb-settings.ts';
import type { Insight } from '../../shared/contracts/churn-insight.ts';
import { openInsightTable, type InsightTable } from '../../shared/dynamodb/insight-table.ts';
import type { DynamodbOptions } from '../../shared/dynamodb/open-dynamodb.ts';
import { prepareTables } from '../../shared/dynamodb/prepare-tables.ts';
import type { EmbeddedServer } from '../../shared/embedded/embedded-server.ts';
import { createLogger, type Logger } from '../../shared/telemetry/create-logger.ts';
import { openPrivateServers } from './open-private-servers.ts';
import { busyMachineMs } from './until.ts';

/** The insight table in an emulator of its own, and a look at it from outside. */
export interface TestInsightTable extends AsyncDisposable {
  emulator: EmbeddedServer;
  settings: DynamodbSettings & DynamodbOptions;
  table: InsightTable;
  client: DynamoDBClient;
  log: Logger;
  logLines: string[];
  /** What is in the table of an entity, as DynamoDB's own typed attributes. */
  itemsOf(entityId: string): Promise<Record<string, AttributeValue>[]>;
}

export async function openTestInsightTable(): Promise<TestInsightTable> {
  await using resources = new AsyncDisposableStack();
  const servers = resources.use(await openPrivateServers());
  const emulator = await servers.startDynamodb();
  const settings = {
    isConfigured: true,
    region: 'us-east-1',
    endpointUrl: emulator.url,
    insightTableName: 'presage-insights',
    modelRegistryTableName: 'presage-models',
    mayAskInstanceMetadata: false,
    // A hundred calls at once may take the emulator long.
    callTimeoutMs: busyMachineMs,
  };
  await prepareTables(settings);
  const logLines: string[] = [];
  const log = createLogger({ process: 'test', level: 'debug', write: (line) => logLines.push(line) });
  const table = resources.use(openInsightTable(settings, log));
  const client = resources.adopt(
    new DynamoDBClient({
      region: 'us-east-1',
      endpoint: emulator.url,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
    (opened) => opened.destroy(),
  );
  const owned = resources.move();
  return {
    emulator,
    settings,
    table,
    client,
    log,
    logLines,
    async itemsOf(entityId) {
      const items: Record<string, AttributeValue>[] = [];
      const scan = { TableName: settings.insightTableName, ConsistentRead: true };
      for await (const page of paginateScan({ client }, scan)) items.push(...(page.Items ?? []));
      return items.filter((item) => item['pk']?.S === `insight#${entityId}`);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** When the alerts of `insightOf` were accepted. */
export const acceptedAt = '2026-01-01T12:00:00.123456Z';

/** An insight about the entity, of a job of its own. */
export function insightOf(entityId: string, changes: Partial<Insight> = {}): Insight {
  return {
    alert_id: `low_health_score_${entityId}_1767268800123`,
    entity_id: entityId,
    prediction_type: 'low_health_score',
    risk_score: 72.5,
    explanation: 'Only one session in seven days.',
    recommendations: ['Call this week', 'Offer another tutor'],
    timestamp: acceptedAt,
    model_used: 'bedrock-anthropic.claude-haiku-4-5-20251001-v1:0',
    job_id: uuid(),
    prompt_version: '1',
    degraded: false,
    ...changes,
  };
}
