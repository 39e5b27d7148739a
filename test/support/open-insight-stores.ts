import { DynamoDBClient, paginateScan, type AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Selectable } from 'kysely';
import type { DynamodbSettings } from '../../shared/config/dynamodb-settings.ts';
import type { LlmCallsTable } from '../../shared/database/llm-calls-table.ts';
import { openDatabase, type Database } from '../../shared/database/open-database.ts';
import { prepareTables } from '../../shared/dynamodb/prepare-tables.ts';
import type { EmbeddedServer } from '../../shared/embedded/embedded-server.ts';
import { openLlmServer, type LlmServer } from '../../shared/emulators/llm-server.ts';
import { inventInsight } from '../../shared/emulators/invent-insight.ts';
import { createTestDatabase } from './create-test-database.ts';
import { openPrivateServers } from './open-private-servers.ts';

/** What the insight worker works with: a real MySQL, a DynamoDB emulator, and models' wire formats. */
export interface InsightStores extends AsyncDisposable {
  llm: LlmServer;
  dynamodb: EmbeddedServer;
  dynamodbSettings: DynamodbSettings;
  database: Database;
  /** What is in the table, as DynamoDB's own typed attributes. */
  items(): Promise<Record<string, AttributeValue>[]>;
  /** The journal of one job, in the order of its calls. */
  calls(jobId: string): Promise<Selectable<LlmCallsTable>[]>;
}

export async function openInsightStores(): Promise<InsightStores> {
  // A machine without credentials would be asked for its role first, which takes a second where there is none.
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  await using resources = new AsyncDisposableStack();
  const servers = resources.use(await openPrivateServers());
  const dynamodb = await servers.startDynamodb();
  const dynamodbSettings: DynamodbSettings = {
    isConfigured: true,
    region: 'us-east-1',
    endpointUrl: dynamodb.url,
    insightTableName: 'presage-insights',
    modelRegistryTableName: 'presage-models',
  };
  await prepareTables({ ...dynamodbSettings, mayAskInstanceMetadata: false });
  const llm = resources.use(
    await openLlmServer({
      answer: ({ messages }) => JSON.stringify(inventInsight(messages[0]?.text ?? '')),
    }),
  );
  const { settings } = resources.use(await createTestDatabase());
  const database = resources.use(openDatabase(settings));
  const client = resources.adopt(
    new DynamoDBClient({
      region: 'us-east-1',
      endpoint: dynamodb.url,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
    (opened) => opened.destroy(),
  );
  const owned = resources.move();
  return {
    llm,
    dynamodb,
    dynamodbSettings,
    database,
    async items() {
      const items: Record<string, AttributeValue>[] = [];
      const scan = { TableName: dynamodbSettings.insightTableName, ConsistentRead: true };
      for await (const page of paginateScan({ client }, scan)) items.push(...(page.Items ?? []));
      return items;
    },
    calls(jobId) {
      return database.db
        .selectFrom('llm_calls')
        .selectAll()
        .where('job_id', '=', jobId)
        .orderBy('ask')
        .execute();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
