import { createHash } from 'node:crypto';
import { processSettings } from '../../../shared/config/process-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { churnInsight } from '../../../shared/contracts/churn-insight.ts';
import exampleAlert from '../../fixtures/test-alert.json' with { type: 'json' };
import { createFakeSns, topicArn } from '../../support/create-fake-sns.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { openWebhook, signStandard } from '../../support/open-webhook.ts';

const apiKey = 'a-key-that-may-do-everything';
const sha256 = createHash('sha256').update(apiKey).digest('hex');
const { access } = readSettings(
  { process: processSettings },
  { PRESAGE_API_KEYS: `shop:produce+read+operate:${sha256}`, API_REQUESTS_PER_MINUTE: '3' },
).process;
const withKeys = { changes: { access } };
const secret = `whsec_${Buffer.from('the secret that is used today').toString('base64')}`;
const standard = { WEBHOOK_SECRETS: `standard:${secret}` };
const eventBridge = { WEBHOOK_SECRETS: 'eventbridge:x-presage-key=right' };
const everySender = {
  WEBHOOK_SECRETS: `${standard.WEBHOOK_SECRETS},${eventBridge.WEBHOOK_SECRETS}`,
  SNS_TOPIC_ARNS: topicArn,
};
const body = JSON.stringify(exampleAlert);
const signed = () => signStandard(body, { secret });

let fleet: TestFleet;
beforeAll(async () => {
  fleet = await openTestFleet([churnInsight]);
});
afterAll(() => fleet[Symbol.asyncDispose]());
beforeEach(async () => {
  fleet.metrics.webhookDeliveries.reset();
  await fleet.database.db.deleteFrom('jobs').execute();
});

test('on a laptop, without keys and senders, the route is open', async () => {
  await using webhook = await openWebhook({ fleet });
  expect((await webhook.deliver(body)).statusCode).toBe(202);
  expect((await webhook.deliver(body, signed())).statusCode).toBe(202);
  expect(await webhook.deliveries()).toEqual({ 'open accepted': 1, 'open duplicate': 1 });
});

test.each([
  ['under a name of another machine', { host: 'presage.example' }],
  ['from a web page', { origin: 'https://evil.example' }],
])('what comes %s is refused there all the same', async (_what, headers) => {
  await using webhook = await openWebhook({ fleet });
  expect((await webhook.deliver(body, headers)).statusCode).toBe(403);
  expect(await webhook.jobs()).toEqual([]);
  expect(await webhook.deliveries()).toEqual({ 'open unauthenticated': 1 });
});

test('plain text is taken of SNS only: any web page may send it', async () => {
  for (const environment of [{}, standard]) {
    await using webhook = await openWebhook({ fleet, environment });
    const headers = { ...signed(), 'content-type': 'Text/Plain; charset=utf-8' };
    const answer = await webhook.deliver(body, headers);
    expect(answer.statusCode).toBe(415);
    expect(answer.json()).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
  }
  expect(await fleet.ledger.list({ limit: 1 })).toEqual([]);
});

test.each([
  ['API keys', {}, withKeys, 'No sender is configured'],
  ['a secret of Standard Webhooks', standard, {}, 'the signature of a Standard Webhook'],
  ['a key of EventBridge', eventBridge, {}, 'the key of an API destination'],
  ['a topic of SNS', { SNS_TOPIC_ARNS: topicArn }, {}, 'a signed message of SNS'],
  ['all of them', everySender, withKeys, 'Standard Webhook'],
])(
  'with %s nobody comes in unproved, not even from this machine',
  async (_what, environment, keys, reason) => {
    await using webhook = await openWebhook({ fleet, environment, ...keys });
    const attempts: Record<string, string>[] = [
      {},
      { authorization: `Bearer ${apiKey}` },
      { 'x-api-key': apiKey },
    ];
    for (const headers of attempts) {
      const answer = await webhook.deliver(body, headers);
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({
        code: 'UNAUTHENTICATED',
        detail: expect.stringContaining(reason),
      });
    }
    expect(await webhook.jobs()).toEqual([]);
    expect(await webhook.deliveries()).toEqual({ 'unknown unauthenticated': 3 });
  },
);

test.each([
  ['Standard Webhooks', eventBridge, signed, 'Standard Webhooks are not configured'],
  [
    'EventBridge',
    standard,
    () => ({ 'x-presage-key': 'right' }),
    'needs the signature of a Standard Webhook',
  ],
  ['SNS', standard, () => ({ 'x-amz-sns-message-type': 'Notification' }), 'SNS is not configured'],
])(
  'a delivery of %s says so when that sender is not configured',
  async (_what, environment, headersOf, reason) => {
    await using webhook = await openWebhook({ fleet, environment });
    const answer = await webhook.deliver(body, headersOf());
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ detail: expect.stringContaining(reason) });
  },
);

test('senders need no API key and fall under no limit of one; every other route still needs it', async () => {
  const sns = createFakeSns();
  await using webhook = await openWebhook({ fleet, environment: everySender, sns, ...withKeys });
  const elsewhere = { host: 'presage.example', origin: 'https://sender.example' };
  const deliveries = [
    () => webhook.deliver(body, { ...signed(), ...elsewhere }),
    () => webhook.deliver(body, { 'x-presage-key': 'right', ...elsewhere }),
    () => webhook.deliver(sns.notification(exampleAlert), { 'x-amz-sns-message-type': 'Notification' }),
  ];
  for (const deliver of [...deliveries, ...deliveries]) expect((await deliver()).statusCode).toBe(202);
  for (const url of ['/v1/jobs', '/openapi.json', '/webhooks', '/webhooks/other']) {
    expect((await webhook.server.inject({ url, headers: signed() })).statusCode).toBe(401);
  }
  expect(await webhook.deliveries()).toEqual({
    'standard accepted': 1,
    'standard duplicate': 1,
    'eventbridge duplicate': 2,
    'sns duplicate': 2,
  });
});
