import { readFileSync } from 'node:fs';
import path from 'node:path';
import { v7 as uuid } from 'uuid';
import { churnInsight } from '../../../shared/contracts/churn-insight.ts';
import { promptVersion } from '../../../workers/churn-insight/insight-prompt.ts';
import { openInsightStores, type InsightStores } from '../../support/open-insight-stores.ts';
import { bedrockModel, openInsightWorker, type InsightWorker } from '../../support/open-insight-worker.ts';
import { sampleAlerts } from '../../support/sample-alerts.ts';

const testAlert: unknown = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../fixtures/test-alert.json'), 'utf8'),
);

let stores: InsightStores;
let worker: InsightWorker;
beforeAll(async () => {
  stores = await openInsightStores();
  worker = await openInsightWorker(stores);
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
});

const itemsOf = async (jobId: string) => (await stores.items()).filter(({ job_id }) => job_id?.S === jobId);

test("document 002's test alert becomes one item with the documented keys and types", async () => {
  const msecs = Date.parse('2026-11-22T11:00:00.123Z');
  const jobId = uuid({ msecs });
  const insight = await worker.run(testAlert, { jobId });
  expect(churnInsight.result.parse(insight)).toEqual(insight);
  const { timestamp, explanation, recommendations } = insight;
  expect(timestamp).toMatch(/^2026-11-22T11:00:00\.123\d{3}Z$/);
  expect(await itemsOf(jobId)).toEqual([
    {
      pk: { S: 'insight#stu_4532' },
      sk: { S: timestamp },
      alert_id: { S: `high_ib_call_frequency_stu_4532_${msecs}` },
      entity_id: { S: 'stu_4532' },
      prediction_type: { S: 'high_ib_call_frequency' },
      risk_score: { N: '70' },
      explanation: { S: explanation },
      recommendations: { L: recommendations.map((text) => ({ S: text })) },
      timestamp: { S: timestamp },
      model_used: { S: `bedrock-${bedrockModel}` },
      ttl: { N: String(Math.floor(msecs / 1_000) + 90 * 86_400) },
      job_id: { S: jobId },
      prompt_version: { S: promptVersion },
      degraded: { BOOL: false },
    },
  ]);
});

test.each(Object.values(sampleAlerts))('a bare $alert_type becomes an insight of its type', async (alert) => {
  const insight = await worker.run(alert);
  expect(insight).toMatchObject({
    entity_id: alert.entity_id,
    prediction_type: alert.alert_type,
    degraded: false,
  });
});

test('what is asked is the documented question, with the documented limits', async () => {
  const before = stores.llm.requests.length;
  await worker.run(sampleAlerts.health);
  const [request, ...more] = stores.llm.requests.slice(before);
  expect(more).toEqual([]);
  expect(request?.messages).toEqual([
    { role: 'user', text: expect.stringContaining('"Sessions (7 days)":1') },
  ]);
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    inferenceConfig: { maxTokens: 1_000, temperature: 0.7 },
  });
});

test('a run after the first one asks nobody and stores nothing', async () => {
  const jobId = uuid();
  const first = await worker.run(sampleAlerts.calls, { jobId });
  const calls = stores.llm.requests.length;
  expect(await worker.run(sampleAlerts.calls, { jobId, mayHaveRunBefore: true })).toEqual(first);
  expect(stores.llm.requests).toHaveLength(calls);
  expect(await itemsOf(jobId)).toHaveLength(1);
});

test('a run that was cut off after the answer asks nobody again', async () => {
  const jobId = uuid();
  // As if the process had died in the moment in which the item was to be stored.
  await using away = await openInsightWorker({
    ...stores,
    dynamodbSettings: { ...stores.dynamodbSettings, endpointUrl: 'http://127.0.0.1:9' },
  });
  await expect(away.run(sampleAlerts.calls, { jobId })).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    store: 'dynamodb',
  });
  expect(await stores.calls(jobId)).toMatchObject([{ ask: 1, state: 'answered' }]);
  expect(await itemsOf(jobId)).toEqual([]);

  const calls = stores.llm.requests.length;
  const insight = await worker.run(sampleAlerts.calls, { jobId, mayHaveRunBefore: true });
  expect(insight).toMatchObject({ risk_score: 70, degraded: false });
  expect(stores.llm.requests).toHaveLength(calls);
  expect(await itemsOf(jobId)).toHaveLength(1);
  expect(await stores.calls(jobId)).toHaveLength(1);
});

test('two runs of a job at once store one item, and both answer it', async () => {
  const jobId = uuid();
  await using other = await openInsightWorker(stores);
  const [one, two] = await Promise.all([
    worker.run(sampleAlerts.calls, { jobId }),
    other.run(sampleAlerts.calls, { jobId, mayHaveRunBefore: true }),
  ]);
  expect(one).toEqual(two);
  expect(await itemsOf(jobId)).toHaveLength(1);
  expect(await stores.calls(jobId)).toHaveLength(1);
});

test('alerts about one entity in one millisecond make one insight each', async () => {
  const alert = { ...sampleAlerts.calls, entity_id: 'stu_crowded' };
  const ids = Array.from({ length: 40 }, () => uuid({ msecs: 1_800_000_000_000 }));
  await Promise.all(ids.map((jobId) => worker.run(alert, { jobId })));
  const items = (await stores.items()).filter(({ pk }) => pk?.S === 'insight#stu_crowded');
  expect(items.map(({ job_id }) => job_id?.S).sort()).toEqual(ids.sort());
});

test('an alert of a type that is not known fails for good, and says which are', async () => {
  const calls = stores.llm.requests.length;
  await expect(worker.run({ ...sampleAlerts.calls, alert_type: 'zebra', details: {} })).rejects.toMatchObject(
    {
      kind: 'permanent',
      code: 'UNKNOWN_ALERT_TYPE',
      message: expect.stringMatching(/high_ib_call_frequency, low_health_score, supply_demand_imbalance$/),
    },
  );
  expect(stores.llm.requests).toHaveLength(calls);
});

test('a run that is aborted ends, and stores nothing', async () => {
  const jobId = uuid();
  const controller = new AbortController();
  stores.llm.failNext('converse', { kind: 'hang' });
  const arrived = stores.llm.arrived(stores.llm.requests.length + 1);
  const running = worker.run(sampleAlerts.calls, { jobId, signal: controller.signal });
  await arrived;
  controller.abort();
  await expect(running).rejects.toMatchObject({ kind: 'cancelled' });
  expect(await itemsOf(jobId)).toEqual([]);
});
