import { setImmediate as nextTurn } from 'node:timers/promises';
import exampleAlert from '../../fixtures/test-alert.json' with { type: 'json' };
import {
  certificateUrl,
  createFakeSns,
  topicArn,
  type FakeSns,
  type SnsFields,
} from '../../support/create-fake-sns.ts';
import { openWebhook, type Answer, type OpenWebhook } from '../../support/open-webhook.ts';

const otherTopic = 'arn:aws:sns:eu-west-1:123456789012:others';
const environment = { SNS_TOPIC_ARNS: `arn:aws:sns:us-east-1:123456789012:alerts, ${topicArn}` };
const host = 'https://sns.eu-west-1.amazonaws.com';

let sns: FakeSns;
let webhook: OpenWebhook;
beforeEach(async () => {
  sns = createFakeSns();
  webhook = await openWebhook({ environment, sns });
});
afterEach(() => webhook[Symbol.asyncDispose]());

function deliver(message: SnsFields | string, headers: Record<string, string> = {}): Promise<Answer> {
  const type = typeof message === 'string' ? 'Notification' : (message['Type'] ?? '');
  return webhook.deliver(message, {
    'content-type': 'text/plain; charset=UTF-8',
    'x-amz-sns-message-type': type,
    ...headers,
  });
}

test.each([
  ['an event of EventBridge', exampleAlert],
  ['a bare alert', exampleAlert.detail],
])('a notification of %s is accepted', async (_what, message) => {
  const answer = await deliver(sns.notification(message));
  expect(answer.statusCode).toBe(202);
  const [job] = await webhook.jobs();
  expect(answer.json()).toMatchObject({ job_id: job?.id, queue: 'churn-insight' });
  expect(JSON.stringify(job?.payload)).toContain('stu_4532');
  expect(sns.fetched).toEqual([certificateUrl]);
  expect(await webhook.deliveries()).toEqual({ 'sns accepted': 1 });
});

test('a subject is signed too, where there is one', async () => {
  const message = sns.notification(exampleAlert, { Subject: 'An alert\nof two lines' });
  expect((await deliver(message)).statusCode).toBe(202);
  const { Subject: _left, ...without } = message;
  expect((await deliver(without)).statusCode).toBe(401);
  expect((await deliver({ ...message, Subject: 'Another' })).statusCode).toBe(401);
});

test('the certificate is fetched once, also by many at once; one event is one job', async () => {
  const messages = Array.from({ length: 20 }, () => sns.notification(exampleAlert));
  const answers = await Promise.all(messages.map((message) => deliver(message)));
  expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
  expect(sns.fetched).toHaveLength(1);
  expect(await webhook.jobs()).toHaveLength(1);
  expect(await webhook.deliveries()).toEqual({ 'sns accepted': 1, 'sns duplicate': 19 });
});

test.each([
  ['a changed message', () => ({ ...notification(), Message: JSON.stringify({ ...exampleAlert, id: 'b' }) })],
  ['a changed id', () => ({ ...notification(), MessageId: 'another' })],
  ['a signature of somebody else', () => createFakeSns().notification(exampleAlert)],
  ['an empty signature', () => ({ ...notification(), Signature: '' })],
])('%s is refused', async (_what, messageOf) => {
  const answer = await deliver(messageOf());
  expect(answer.statusCode).toBe(401);
  expect(answer.json()).toMatchObject({ detail: 'The Signature does not fit the message.' });
  expect(await webhook.jobs()).toEqual([]);
  expect(await webhook.deliveries()).toEqual({ 'sns unauthenticated': 1 });
});

test.each([
  ['another topic', { TopicArn: otherTopic }, 'SNS_TOPIC_ARNS'],
  ['signature version 1', { SignatureVersion: '1' }, 'must be 2'],
  ...[
    `http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem`,
    `https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem`,
    `https://sns.eu-west-1.amazonaws.com.evil.com/SimpleNotificationService-1.pem`,
    `https://sns.eu-west-1.amazonaws.com@evil.com/SimpleNotificationService-1.pem`,
    `https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-1.pem`,
    `https://evil.com/sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem`,
    `https://sns.s3-eu-west-1.amazonaws.com/SimpleNotificationService-1.pem`,
    `${host}/?Action=GetSomething&x=.pem`,
    `${host}/folder/SimpleNotificationService-1.pem`,
    `${certificateUrl}?versionId=2`,
    `${host}/certificate`,
    'nonsense',
  ].map((url) => [url, { SigningCertURL: url }, 'SigningCertURL must be'] as const),
] as const)('a notification with %s is refused, and nothing is fetched', async (_what, changes, reason) => {
  const answer = await deliver(sns.notification(exampleAlert, changes));
  expect(answer.statusCode).toBe(401);
  expect(answer.json()).toMatchObject({ code: 'UNAUTHENTICATED', detail: expect.stringContaining(reason) });
  expect(sns.fetched).toEqual([]);
  expect(await webhook.jobs()).toEqual([]);
});

test.each([
  ['is over', new Date(Date.now() - 48 * 60 * 60_000)],
  ['has not begun', new Date(Date.now() + 60 * 60_000)],
])('a certificate whose time %s counts for nothing', async (_what, validFrom) => {
  const text = sns.certificateFrom(validFrom);
  sns.answerWith(() => Promise.resolve({ status: 200, text }));
  const answer = await deliver(notification());
  expect(answer.statusCode).toBe(401);
  expect(answer.json()).toMatchObject({ detail: expect.stringContaining('not valid now') });
});

test.each([
  ['there is none', { status: 404, text: 'not found' }],
  ['there is a redirection', { status: 302, text: '' }],
  ['there is something else', { status: 200, text: '<html></html>' }],
])('where %s instead of a certificate, the notification is refused', async (_what, found) => {
  sns.answerWith(() => Promise.resolve(found));
  expect((await deliver(notification())).statusCode).toBe(401);
});

test.each([
  ['cannot be reached', () => Promise.reject(new TypeError('fetch failed'))],
  ['fails', () => Promise.resolve({ status: 500, text: '' })],
  ['is too busy', () => Promise.resolve({ status: 429, text: '' })],
])(
  'when SNS %s, it is asked to deliver again, and its certificate is looked for again',
  async (_what, answer) => {
    sns.answerWith(answer);
    const message = notification();
    const refused = await deliver(message);
    expect(refused.statusCode).toBe(503);
    expect(refused.headers['retry-after']).toBe('5');
    expect(refused.json()).toMatchObject({ code: 'SENDER_UNREACHABLE' });
    sns.answerWith(undefined);
    expect((await deliver(message)).statusCode).toBe(202);
    expect(await webhook.deliveries()).toEqual({ 'sns unavailable': 1, 'sns accepted': 1 });
  },
);

test('of many certificates no more than a few are looked for at once', async () => {
  let atOnce = 0;
  let most = 0;
  sns.answerWith(async () => {
    most = Math.max(most, (atOnce += 1));
    await nextTurn();
    atOnce -= 1;
    return { status: 404, text: '' };
  });
  const messages = Array.from({ length: 40 }, (_, index) =>
    sns.notification(exampleAlert, { SigningCertURL: `${host}/SimpleNotificationService-${index}.pem` }),
  );
  const answers = await Promise.all(messages.map((message) => deliver(message)));
  expect(answers.every(({ statusCode }) => statusCode === 401)).toBe(true);
  expect(sns.fetched).toHaveLength(40);
  expect(most).toBe(4);
});

test('a subscription to an allowed topic is confirmed, by one request', async () => {
  const answer = await deliver(sns.subscription('SubscriptionConfirmation'));
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({ state: 'confirmed' });
  expect(sns.fetched).toEqual([
    certificateUrl,
    `${host}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=2336412f37fb687f5d51e6e2425dacbbaac`,
  ]);
  expect(await webhook.jobs()).toEqual([]);
  expect(await webhook.deliveries()).toEqual({ 'sns confirmed': 1 });
});

test.each([
  ['another topic', { TopicArn: otherTopic }],
  ['another host', { SubscribeURL: `https://evil.com/?Action=ConfirmSubscription&TopicArn=${topicArn}` }],
  [
    'a host that begins alike',
    { SubscribeURL: `${host}.evil.com/?Action=ConfirmSubscription&TopicArn=${topicArn}` },
  ],
  ['no encryption', { SubscribeURL: `http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription` }],
  ['another action', { SubscribeURL: `${host}/?Action=Publish&TopicArn=${topicArn}` }],
  [
    'two actions',
    { SubscribeURL: `${host}/?Action=ConfirmSubscription&Action=Publish&TopicArn=${topicArn}` },
  ],
  [
    "another topic's confirmation",
    { SubscribeURL: `${host}/?Action=ConfirmSubscription&TopicArn=${otherTopic}` },
  ],
  ['another path', { SubscribeURL: `${host}/x?Action=ConfirmSubscription&TopicArn=${topicArn}` }],
])('a subscription with %s is not confirmed', async (_what, changes) => {
  const answer = await deliver(sns.subscription('SubscriptionConfirmation', changes));
  expect(answer.statusCode).toBe(401);
  expect(sns.fetched.filter((url) => url !== certificateUrl)).toEqual([]);
  expect(await webhook.deliveries()).toEqual({ 'sns unauthenticated': 1 });
});

test('a forged confirmation is not followed', async () => {
  const message = { ...sns.subscription('SubscriptionConfirmation'), Token: 'another' };
  expect((await deliver(message)).statusCode).toBe(401);
  expect(sns.fetched).toEqual([certificateUrl]);
});

test('a confirmation that SNS does not take is asked for again', async () => {
  await deliver(notification());
  for (const status of [403, 500]) {
    sns.answerWith(() => Promise.resolve({ status, text: '' }));
    expect((await deliver(sns.subscription('SubscriptionConfirmation'))).statusCode).toBe(503);
  }
  sns.answerWith(undefined);
  expect((await deliver(sns.subscription('SubscriptionConfirmation'))).statusCode).toBe(200);
});

test('the end of a subscription is logged, and not undone', async () => {
  const answer = await deliver(sns.subscription('UnsubscribeConfirmation'));
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({ state: 'unsubscribed' });
  expect(sns.fetched).toEqual([certificateUrl]);
  expect(webhook.fleet.logLines.join('')).toContain('unsubscribed');
  expect(await webhook.deliveries()).toEqual({ 'sns unsubscribed': 1 });
});

test('what the signed message holds is checked like any alert', async () => {
  const answers = [
    await deliver(sns.notification('An instance is about to be stopped.')),
    await deliver(sns.notification({ ...exampleAlert.detail, entity_id: 7 })),
  ];
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([400, 422]);
  expect(answers[1]?.json()).toMatchObject({ errors: [{ pointer: '#/entity_id' }] });
  expect(await webhook.deliveries()).toEqual({ 'sns invalid': 2 });
});

test.each([
  ['no JSON', 'nonsense', {}, 'not a signed message'],
  ['JSON that is no message', JSON.stringify(exampleAlert), {}, 'not a signed message'],
  ['a raw message', JSON.stringify(exampleAlert), { 'x-amz-sns-rawdelivery': 'true' }, 'RawMessageDelivery'],
])('%s is refused', async (_what, body, headers, reason) => {
  const answer = await deliver(body, headers);
  expect(answer.statusCode).toBe(401);
  expect(answer.json()).toMatchObject({ detail: expect.stringContaining(reason) });
});

test('without a topic no message is taken, not even where everything else is open', async () => {
  await using open = await openWebhook({ sns, fleet: webhook.fleet });
  const answer = await open.deliver(notification(), { 'x-amz-sns-message-type': 'Notification' });
  expect(answer.statusCode).toBe(401);
  expect(answer.json()).toMatchObject({ detail: expect.stringContaining('SNS_TOPIC_ARNS names no topic') });
  expect(sns.fetched).toEqual([]);
});

function notification(): SnsFields {
  return sns.notification(exampleAlert);
}
