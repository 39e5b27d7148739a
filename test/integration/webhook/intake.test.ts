import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { exampleAlertEvent } from '../../../shared/contracts/churn-insight.ts';
import { databaseFromUrl } from '../../../shared/config/database-settings.ts';
import { churnInsight } from '../../../shared/contracts/churn-insight.ts';
import { migrateUp } from '../../../shared/database/migrate.ts';
import { createQueueLimit } from '../../../shared/queue/create-queue-limit.ts';
import { openProducer } from '../../../shared/queue/open-producer.ts';
import exampleAlert from '../../fixtures/test-alert.json' with { type: 'json' };
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';
import { openTestFleet } from '../../support/open-test-fleet.ts';
import { openWebhook, signStandard, type OpenWebhook } from '../../support/open-webhook.ts';
import { sampleAlerts } from '../../support/sample-alerts.ts';

const secret = `whsec_${Buffer.from('the secret that is used today').toString('base64')}`;
const environment = { WEBHOOK_SECRETS: `standard:${secret},eventbridge:x-presage-key=right` };
const headers = { 'x-presage-key': 'right' };

let webhook: OpenWebhook;
let servers: PrivateServers;
beforeAll(async () => {
  servers = await openPrivateServers();
});
afterAll(() => servers[Symbol.asyncDispose]());
beforeEach(async () => {
  webhook = await openWebhook({ environment });
});
afterEach(() => webhook[Symbol.asyncDispose]());

test.each(Object.entries(sampleAlerts))('takes the alert about %s', async (_what, alert) => {
  const answer = await webhook.deliver(alert, headers);
  expect(answer.statusCode).toBe(202);
  expect(await webhook.jobs()).toMatchObject([{ queue: 'churn-insight', payload: alert }]);
});

test('the job knows the request that it came with', async () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const answer = await webhook.deliver(exampleAlert, {
    ...headers,
    'x-request-id': 'delivery.1',
    traceparent,
  });
  expect(answer.headers['x-request-id']).toBe('delivery.1');
  expect(answer.headers['location']).toBe(answer.json<{ status_url: string }>().status_url);
  const row = await webhook.fleet.database.db.selectFrom('jobs').selectAll().executeTakeFirstOrThrow();
  expect(row).toMatchObject({ request_id: 'delivery.1', traceparent });
});

test('an alert of an unknown type is taken in: nobody would send it again', async () => {
  const alert = { ...sampleAlerts.calls, alert_type: 'exam_tomorrow', details: { subject: 'chemistry' } };
  expect((await webhook.deliver({ ...exampleAlert, detail: alert }, headers)).statusCode).toBe(202);
  expect(await webhook.jobs()).toMatchObject([{ payload: { detail: alert } }]);
});

test('an alert of an unknown type is kept as it is, whatever else it says', async () => {
  const detail = { alert_type: 'tutor_no_show', tutor: { id: 't1' }, lessons: [1, 2] };
  expect((await webhook.deliver({ id: 'odd-1', detail }, headers)).statusCode).toBe(202);
  expect(await webhook.jobs()).toMatchObject([{ payload: { id: 'odd-1', detail } }]);
});

test.each([
  ['a fact that is missing', { details: { health_score: 65 } }, '#/detail/details/ib_calls_14d'],
  [
    'a fact that is no number',
    { details: { ib_calls_14d: '5', health_score: 65 } },
    '#/detail/details/ib_calls_14d',
  ],
  ['nobody it is about', { entity_id: '' }, '#/detail/entity_id'],
  ['no type', { alert_type: undefined }, '#/detail/alert_type'],
])('an alert with %s is refused by name', async (_what, changes, pointer) => {
  const answer = await webhook.deliver(
    { ...exampleAlert, detail: { ...exampleAlert.detail, ...changes } },
    headers,
  );
  expect(answer.statusCode).toBe(422);
  expect(answer.json()).toMatchObject({ code: 'VALIDATION_ERROR', errors: [{ pointer }] });
  expect(answer.body).not.toContain('stu_4532');
  expect(await webhook.jobs()).toEqual([]);
  expect(await webhook.deliveries()).toEqual({ 'eventbridge invalid': 1 });
});

test.each([
  ['nothing', '', 400, 'INVALID_JSON'],
  ['no JSON', '{"detail":', 400, 'INVALID_JSON'],
  ['bytes that are no text', Buffer.from([0x22, 0xff, 0x22]), 400, 'INVALID_JSON'],
  ['a list', '[]', 422, 'VALIDATION_ERROR'],
  ['null', 'null', 422, 'VALIDATION_ERROR'],
  ['2 MiB', JSON.stringify('x'.repeat(2 * 1024 * 1024)), 413, 'PAYLOAD_TOO_LARGE'],
])('a body of %s is refused', async (_what, body, status, code) => {
  const answer = await webhook.deliver(body, headers);
  expect(answer.statusCode).toBe(status);
  expect(answer.json()).toMatchObject({ code });
  expect(await webhook.deliveries()).toEqual({ 'eventbridge invalid': 1 });
});

test('an event of more than half a MiB is taken', async () => {
  const alert = { ...sampleAlerts.calls, alert_type: 'other', details: { text: 'ä"\n'.repeat(60_000) } };
  expect((await webhook.deliver(alert, headers)).statusCode).toBe(202);
  expect(await webhook.jobs()).toMatchObject([{ payload: alert }]);
});

test('a full queue asks the sender to come again', async () => {
  const changes = { queueLimit: createQueueLimit(webhook.fleet.ledger, 1) };
  await using full = await openWebhook({ environment, fleet: webhook.fleet, changes });
  await webhook.deliver(exampleAlert, headers);
  const refused = await full.deliver({ ...exampleAlert, id: 'another-event' }, headers);
  expect(refused.statusCode).toBe(429);
  expect(refused.headers['retry-after']).toBe('5');
  expect(await webhook.jobs()).toHaveLength(1);
  expect(await full.deliveries()).toEqual({ 'eventbridge accepted': 1, 'eventbridge refused': 1 });
});

test('Redis may be away', async () => {
  const redis = await servers.startRedis();
  await using fleet = await openTestFleet([churnInsight], { kind: 'url', url: redis.url });
  await using own = await openWebhook({ environment, fleet });
  await redis.stop();
  expect((await own.deliver(exampleAlert, headers)).statusCode).toBe(202);
  expect((await own.deliver(exampleAlert, headers)).statusCode).toBe(202);
  expect(await own.jobs()).toMatchObject([{ state: 'accepted' }]);
});

test('without MySQL nothing is accepted, and the sender is asked to come again', async () => {
  const mysql = await servers.startMysql();
  await using resources = new AsyncDisposableStack();
  const { fleet } = webhook;
  const database = { ...databaseFromUrl(mysql.url), poolSize: 5, tls: false };
  const options = { redis: fleet.redisSettings, contracts: [churnInsight], log: fleet.log, keys: fleet.keys };
  const producer = await openProducer({ ...options, database, processId: randomUUID() }, resources);
  await migrateUp(producer.database.db);
  const queueLimit = createQueueLimit(producer.ledger, 100);
  await using own = await openWebhook({ environment, fleet, changes: { ...producer, queueLimit } });

  await mysql.stop();
  const refused = await own.deliver(exampleAlert, headers);
  expect(refused.statusCode).toBe(503);
  expect(refused.headers['retry-after']).toBe('5');
  expect(refused.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await mysql.start();
  expect((await own.deliver(exampleAlert, headers)).statusCode).toBe(202);
  expect(await producer.ledger.list({ limit: 10 })).toHaveLength(1);
  expect(await own.deliveries()).toEqual({ 'eventbridge unavailable': 1, 'eventbridge accepted': 1 });
});

test('of 500 deliveries, 50 at once, a tenth of them duplicates, every alert is one job', async () => {
  const changes = { queueLimit: createQueueLimit(webhook.fleet.ledger, 1_000) };
  await using own = await openWebhook({ environment, fleet: webhook.fleet, changes });
  const kinds = Object.values(sampleAlerts);
  const events = Array.from({ length: 450 }, (_, index) => ({
    ...exampleAlert,
    id: `event-${index}`,
    detail: kinds[index % kinds.length],
  }));
  const deliveries = [...events, ...events.slice(0, 50)].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const limit = pLimit(50);
  const answers = await Promise.all(
    deliveries.map((event, index) =>
      limit(() => {
        const body = JSON.stringify(event);
        return own.deliver(body, index % 2 ? headers : signStandard(body, { secret, id: `msg_${index}` }));
      }),
    ),
  );
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([202]));
  const jobOf = new Map(
    answers.map((answer, index) => [deliveries[index]?.id, answer.json<{ job_id: string }>().job_id]),
  );
  expect(new Set(jobOf.values()).size).toBe(450);
  const rows = await own.fleet.database.db.selectFrom('jobs').select(['id', 'payload']).execute();
  const eventOf = (payload: string) => (JSON.parse(payload) as { id: string }).id;
  expect(new Map(rows.map(({ id, payload }) => [eventOf(payload), id]))).toEqual(jobOf);
  const counted = await own.deliveries();
  const sum = (outcome: string) =>
    (counted[`standard ${outcome}`] ?? 0) + (counted[`eventbridge ${outcome}`] ?? 0);
  expect([sum('accepted'), sum('duplicate')]).toEqual([450, 50]);
});

test('logs hold nothing of what was delivered, nor what proves the sender', async () => {
  const body = JSON.stringify(exampleAlert);
  await webhook.deliver(body, headers);
  await webhook.deliver(body, signStandard(body, { secret }));
  await webhook.deliver(body, { 'x-presage-key': 'wrong-key-value' });
  const forged = signStandard('', { secret });
  await webhook.deliver(body, forged);
  await webhook.deliver({ ...exampleAlert, detail: { ...exampleAlert.detail, details: 'x' } }, headers);
  const logs = webhook.fleet.logLines.join('');
  expect(logs).toContain('a delivery was refused');
  const signature = forged['webhook-signature'] ?? '';
  for (const secretText of ['stu_4532', 'ib_calls', 'IB calls', 'wrong-key-value', 'whsec_', signature]) {
    expect(logs).not.toContain(secretText);
  }
});

test('the route describes itself, with the example of document 002', async () => {
  const document = (await webhook.server.inject({ url: '/openapi.json' })).json<{
    paths: Record<string, { post: { tags: string[]; requestBody: unknown; responses: object } }>;
  }>();
  const post = document.paths['/webhooks/alerts']?.post;
  expect(post?.tags).toEqual(['webhooks']);
  expect(JSON.stringify(post?.requestBody)).toContain('"text/plain"');
  expect(JSON.stringify(post?.requestBody)).toContain(JSON.stringify(exampleAlert));
  expect(exampleAlertEvent).toEqual(exampleAlert);
  expect(Object.keys(post?.responses ?? {})).toEqual(expect.arrayContaining(['200', '202', '401', '503']));
  const metrics = (await webhook.server.inject({ url: '/metrics' })).body;
  expect(metrics).toContain('presage_webhook_deliveries_total');
});
