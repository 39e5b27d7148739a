import { v7 as uuid } from 'uuid';
import { insightSchema } from '../../../shared/contracts/churn-insight.ts';
import {
  openInsightNotification,
  type InsightNotification,
} from '../../../workers/churn-insight/insight-notification.ts';
import { openInsightStores, type InsightStores } from '../../support/open-insight-stores.ts';
import { openInsightWorker, type InsightWorker } from '../../support/open-insight-worker.ts';
import { openSnsServer, type SnsServer } from '../../support/open-sns-server.ts';
import { sampleAlerts } from '../../support/sample-alerts.ts';

let sns: SnsServer;
let stores: InsightStores;
let worker: InsightWorker;
let notification: InsightNotification;
beforeAll(async () => {
  sns = await openSnsServer();
  notification = openInsightNotification({
    topicArn: 'arn:aws:sns:us-east-1:123456789012:insights',
    minRisk: 60,
    region: 'us-east-1',
    endpointUrl: sns.url,
    mayAskInstanceMetadata: false,
  });
  stores = await openInsightStores();
  worker = await openInsightWorker(stores, { notification });
});
afterAll(async () => {
  notification[Symbol.dispose]();
  await worker[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
  await sns[Symbol.asyncDispose]();
});
beforeEach(() => sns.clear());

const told = () => sns.published.map(({ message }) => insightSchema.parse(JSON.parse(message)));

const lowRisk = { ...sampleAlerts.calls, details: { ib_calls_14d: 1, health_score: 90 } };

test('an insight of enough risk is told, as it is stored', async () => {
  const insight = await worker.run(sampleAlerts.calls);
  expect(told()).toEqual([insight]);
});

test('an insight of less risk is stored and told to nobody', async () => {
  const { risk_score, job_id } = await worker.run(lowRisk);
  expect(risk_score).toBeLessThan(60);
  expect(sns.published).toEqual([]);
  expect((await stores.items()).some((item) => item['job_id']?.S === job_id)).toBe(true);
});

test('a topic that fails is told by the next run, without a second call or item', async () => {
  sns.failNext({ kind: 'status', status: 500, code: 'InternalFailure' });
  const jobId = uuid();
  const calls = stores.llm.requests.length;
  const asked = sns.requests();
  await expect(worker.run(sampleAlerts.health, { jobId })).rejects.toMatchObject({
    code: 'NOTIFICATION_FAILED',
    // No attempt is spent on it.
    waitMs: expect.any(Number),
  });
  const insight = await worker.run(sampleAlerts.health, { jobId, mayHaveRunBefore: true });
  expect(told()).toEqual([insight]);
  expect(sns.requests()).toBe(asked + 2);
  expect(stores.llm.requests).toHaveLength(calls + 1);
  expect((await stores.items()).filter((item) => item['job_id']?.S === jobId)).toHaveLength(1);
});
