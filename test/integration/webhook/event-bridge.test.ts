import exampleAlert from '../../fixtures/test-alert.json' with { type: 'json' };
import { openWebhook, type OpenWebhook } from '../../support/open-webhook.ts';

const today = { 'X-Presage-Key': 'key-of-today==' };
const tomorrow = { 'X-Presage-Key': 'key-of-tomorrow' };
const basic = { authorization: 'Basic cHJlc2FnZTp0ZXN0' };
const environment = {
  WEBHOOK_SECRETS: [
    'eventbridge:x-presage-key=key-of-today==',
    'eventbridge:X-Presage-Key=key-of-tomorrow',
    'eventbridge:Authorization=Basic cHJlc2FnZTp0ZXN0',
  ].join(','),
};

let webhook: OpenWebhook;
beforeEach(async () => {
  webhook = await openWebhook({ environment });
});
afterEach(() => webhook[Symbol.asyncDispose]());

test.each([
  ['the key of today', today],
  ['the key of tomorrow', tomorrow],
  ['a user and a password', basic],
])('an event with %s is accepted', async (_what, headers) => {
  const answer = await webhook.deliver(exampleAlert, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
  });
  expect(answer.statusCode).toBe(202);
  expect(await webhook.deliveries()).toEqual({ 'eventbridge accepted': 1 });
});

test('an event that is delivered again is answered with the first job, whatever key it comes with', async () => {
  const first = await webhook.deliver(exampleAlert, today);
  expect((await webhook.deliver(exampleAlert, tomorrow)).body).toBe(first.body);
  expect((await webhook.deliver({ ...exampleAlert, id: 'another-event' }, today)).body).not.toBe(first.body);
  expect(await webhook.jobs()).toHaveLength(2);
  expect(await webhook.deliveries()).toEqual({ 'eventbridge accepted': 2, 'eventbridge duplicate': 1 });
});

test.each([
  ['another value', { 'x-presage-key': 'key-of-yesterday' }],
  ['the beginning of the value', { 'x-presage-key': 'key-of-today' }],
  ['an empty value', { 'x-presage-key': '' }],
  ['the value of another header', { authorization: 'key-of-tomorrow' }],
  ['the value twice', { 'x-presage-key': 'key-of-tomorrow, key-of-tomorrow' }],
])('an event with %s is refused', async (_what, headers) => {
  const answer = await webhook.deliver(exampleAlert, headers);
  expect(answer.statusCode).toBe(401);
  expect(answer.json()).toMatchObject({ code: 'UNAUTHENTICATED', detail: expect.stringContaining('key') });
  expect(await webhook.jobs()).toEqual([]);
  expect(await webhook.deliveries()).toEqual({ 'eventbridge unauthenticated': 1 });
});
