import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import type { Insight } from '../../../shared/contracts/churn-insight.ts';
import { openInsightTable, type InsightTable } from '../../../shared/dynamodb/insight-table.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createTestDatabase } from '../../support/create-test-database.ts';
import { openInsightStores, type InsightStores } from '../../support/open-insight-stores.ts';
import { runPresage } from '../../support/run-presage.ts';

const batchSchema = z.object({ RequestItems: z.record(z.string(), z.array(z.unknown())) });
const entityId = 'stu_4532';

let stores: InsightStores;
let gate: AsyncDisposable & { url: string };
let table: InsightTable;
/** How many items of each call are done; the others are left for later. */
let itemsDone = Infinity;
let batchSizes: number[] = [];
beforeAll(async () => {
  stores = await openInsightStores();
  gate = await openBatchGate();
  table = openInsightTable(
    { ...stores.dynamodbSettings, endpointUrl: gate.url, mayAskInstanceMetadata: false },
    createLogger({ process: 'test', level: 'silent' }),
  );
});
afterAll(async () => {
  table[Symbol.dispose]();
  await gate[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
});
beforeEach(() => {
  itemsDone = Infinity;
  batchSizes = [];
});

/** Stands before DynamoDB and lets it do a part of what it is asked to delete, as DynamoDB does under load. */
async function openBatchGate(): Promise<AsyncDisposable & { url: string }> {
  async function pass(request: IncomingMessage, body: Uint8Array<ArrayBuffer> | string) {
    const answer = await fetch(`${stores.dynamodb.url}${request.url}`, {
      method: 'POST',
      headers: {
        'x-amz-target': String(request.headers['x-amz-target']),
        'content-type': String(request.headers['content-type']),
        authorization: String(request.headers.authorization),
        'x-amz-date': String(request.headers['x-amz-date']),
      },
      body,
    });
    return { status: answer.status, text: await answer.text() };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = new Uint8Array(await buffer(request));
    const isBatch = String(request.headers['x-amz-target']).endsWith('.BatchWriteItem');
    const answer = isBatch ? await passPart(request, body) : await pass(request, body);
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(answer.text);
  }

  async function passPart(request: IncomingMessage, body: Uint8Array) {
    const batch = batchSchema.parse(JSON.parse(Buffer.from(body).toString()));
    const [name = '', items = []] = Object.entries(batch.RequestItems)[0] ?? [];
    batchSizes.push(items.length);
    const now = items.slice(0, itemsDone);
    const later = items.slice(itemsDone);
    if (now.length > 0) await pass(request, JSON.stringify({ RequestItems: { [name]: now } }));
    const left = later.length > 0 ? { [name]: later } : {};
    return { status: 200, text: JSON.stringify({ UnprocessedItems: left }) };
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gate has no TCP address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function keep(entity_id: string, count: number, ttlSeconds = 4_000_000_000): Promise<void> {
  for (let index = 0; index < count; index++) {
    const insight: Insight = {
      alert_id: `low_health_score_${entity_id}_1735732800000`,
      entity_id,
      prediction_type: 'low_health_score',
      risk_score: 50,
      explanation: 'because',
      recommendations: ['one', 'two'],
      timestamp: `2025-01-01T12:00:00.${String(index).padStart(6, '0')}Z`,
      model_used: 'baseline-1',
      job_id: uuid(),
      prompt_version: 'insight-1',
      degraded: true,
    };
    await table.keep(insight, ttlSeconds);
  }
}

const keys = async () => (await stores.items()).map((item) => item['pk']?.S).sort();

test('every insight of the entity goes, expired ones too, and nobody else loses any', async () => {
  await keep(entityId, 59);
  await keep('stu_45321', 1);
  await keep('stu_453', 1, 1);
  expect(await table.forget(entityId)).toBe(59);
  expect(batchSizes).toEqual([25, 25, 9]);
  expect(await keys()).toEqual(['insight#stu_453', 'insight#stu_45321']);
  expect(await table.forget(entityId)).toBe(0);
  expect(batchSizes).toHaveLength(3);
  expect(await table.forget('stu_453')).toBe(1);
  await table.forget('stu_45321');
});

test('what DynamoDB leaves for later is asked for again', async () => {
  await keep(entityId, 5);
  itemsDone = 2;
  expect(await table.forget(entityId)).toBe(5);
  expect(batchSizes).toEqual([5, 3, 1]);
  expect(await keys()).toEqual([]);
});

test('when it leaves all for later again and again, that is an outage, and what is done stays done', async () => {
  await keep(entityId, 1);
  itemsDone = 0;
  await using database = await createTestDatabase();
  const environment = {
    REDIS_URL: process.env['TEST_REDIS_URL'],
    DATABASE_URL: database.url,
    AWS_ENDPOINT_URL_DYNAMODB: gate.url,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  expect(await runPresage(['forget', '--user', entityId], environment)).toEqual({
    exitCode: 1,
    output: '',
    messages: 'DynamoDB does not answer. What has been forgotten stays so; run it again for the rest.\n',
  });
  expect(batchSizes.length).toBeGreaterThan(1);
  itemsDone = Infinity;
  const again = await runPresage(['forget', '--user', entityId], environment);
  expect(JSON.parse(again.output)).toMatchObject({ insights_deleted: 1 });
  expect(await keys()).toEqual([]);
});
