import type { Insight } from '../../../shared/contracts/churn-insight.ts';
import {
  openInsightNotification,
  type InsightNotification,
} from '../../../workers/churn-insight/insight-notification.ts';
import { openSnsServer, type SnsFault, type SnsServer } from '../../support/open-sns-server.ts';
import { busyMachineMs, until } from '../../support/until.ts';

const topicArn = 'arn:aws:sns:us-east-1:123456789012:insights';
const insight: Insight = {
  alert_id: 'low_health_score_학생\r\nBcc: all_1767268800123',
  entity_id: '학생\r\nBcc: all',
  prediction_type: 'low_health_score',
  risk_score: 72.5,
  explanation: 'Only one session & <fewer> calls: "50%".',
  recommendations: ['Call this week', 'Offer another tutor'],
  timestamp: '2026-01-01T12:00:00.123456Z',
  model_used: 'openai-gpt-4.1',
  job_id: '018f0000-0000-7000-8000-000000000001',
  prompt_version: '1',
  degraded: false,
};
const never = new AbortController().signal;

let sns: SnsServer;
let notification: InsightNotification;
beforeEach(async () => {
  sns = await openSnsServer();
  notification = open(sns.url);
});
afterEach(async () => {
  notification[Symbol.dispose]();
  await sns[Symbol.asyncDispose]();
});

function open(endpointUrl: string, callTimeoutMs = busyMachineMs): InsightNotification {
  return openInsightNotification({
    topicArn,
    minRisk: 70,
    region: 'us-east-1',
    endpointUrl,
    mayAskInstanceMetadata: false,
    callTimeoutMs,
  });
}

/** What `notify` throws. */
const failureOf = (signal: AbortSignal = never, by = notification) =>
  by.notify(insight, signal).then(
    () => undefined,
    (error: unknown) => error,
  );

test('tells the insight, with attributes to filter by and a subject that no sender of alerts wrote', async () => {
  await notification.notify(insight, never);
  expect(sns.published).toEqual([
    {
      topicArn,
      subject: 'Presage insight: low_health_score',
      message: JSON.stringify(insight),
      attributes: {
        prediction_type: { type: 'String', value: 'low_health_score' },
        risk_score: { type: 'Number', value: '72.5' },
        degraded: { type: 'String', value: 'false' },
      },
    },
  ]);
});

test.each([
  [69.9, 0],
  [70, 1],
  [100, 1],
])('a risk of %d is told %d times', async (risk, times) => {
  await notification.notify({ ...insight, risk_score: risk }, never);
  expect(sns.requests()).toBe(times);
});

test.each<[string, SnsFault, object]>([
  ['a 500', { kind: 'status', status: 500, code: 'InternalFailure' }, { kind: 'transient' }],
  ['a 503', { kind: 'status', status: 503, code: 'ServiceUnavailable' }, { kind: 'transient' }],
  ['throttling', { kind: 'status', status: 400, code: 'Throttling' }, { kind: 'rate-limited' }],
  ['throttled', { kind: 'status', status: 429, code: 'Throttled' }, { kind: 'rate-limited' }],
  ['throttling of the key', { kind: 'status', status: 400, code: 'KMSThrottling' }, { kind: 'rate-limited' }],
  ['a token that has expired', { kind: 'status', status: 403, code: 'ExpiredToken' }, { kind: 'transient' }],
  ['a reset', { kind: 'reset' }, { kind: 'unavailable' }],
  ['no answer', { kind: 'hang' }, { kind: 'transient' }],
])('%s may pass: one call, and the queue tries again', async (_what, fault, expected) => {
  sns.failNext(fault);
  using asked = open(sns.url, fault.kind === 'hang' ? 300 : busyMachineMs);
  expect(await failureOf(never, asked)).toMatchObject({ ...expected, code: 'NOTIFICATION_FAILED' });
  expect(sns.requests()).toBe(1);
  expect(await failureOf()).toBeUndefined();
  expect(sns.published).toHaveLength(1);
});

test.each([
  [404, 'NotFound'],
  [403, 'AuthorizationError'],
  [400, 'InvalidParameter'],
  [403, 'InvalidClientTokenId'],
])('%d %s does not pass', async (status, code) => {
  sns.failNext({ kind: 'status', status, code });
  const failure = await failureOf();
  expect(failure).toMatchObject({ kind: 'permanent', code: 'NOTIFICATION_REFUSED' });
  expect(String(failure)).not.toMatch(/Bcc|sessions/);
});

test('nobody there', async () => {
  using elsewhere = open('http://127.0.0.1:1');
  await expect(elsewhere.notify(insight, never)).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'NOTIFICATION_FAILED',
  });
});

test('a job that is aborted does not wait for the topic, nor tell it', async () => {
  sns.failNext({ kind: 'hang' });
  const job = new AbortController();
  const failure = failureOf(job.signal);
  await until(() => sns.requests() === 1);
  job.abort();
  expect(await failure).toMatchObject({ kind: 'cancelled' });
  expect(await failureOf(job.signal)).toMatchObject({ kind: 'cancelled' });
  expect(sns.requests()).toBe(1);
});
