import exampleAlert from '../../fixtures/test-alert.json' with { type: 'json' };
import { openWebhook, signStandard, type OpenWebhook } from '../../support/open-webhook.ts';

const secret = `whsec_${Buffer.from('the secret that is used today').toString('base64')}`;
const nextSecret = `whsec_${Buffer.from('the secret that is used tomorrow').toString('base64')}`;
const foreignSecret = `whsec_${Buffer.from('a secret that nobody agreed on').toString('base64')}`;
const body = JSON.stringify(exampleAlert);
const now = () => Math.floor(Date.now() / 1_000);

let webhook: OpenWebhook;
beforeEach(async () => {
  const environment = { WEBHOOK_SECRETS: `standard:${secret}, standard:${nextSecret}` };
  webhook = await openWebhook({ environment });
});
afterEach(() => webhook[Symbol.asyncDispose]());

test('a signed alert is accepted', async () => {
  const answer = await webhook.deliver(body, signStandard(body, { secret }));
  expect(answer.statusCode).toBe(202);
  const [job] = await webhook.jobs();
  expect(answer.json()).toEqual({
    job_id: job?.id,
    queue: 'churn-insight',
    state: 'accepted',
    status_url: `/v1/jobs/${job?.id}`,
  });
  expect(await webhook.deliveries()).toEqual({ 'standard accepted': 1 });
});

test("the specification's own example of a signature fits", async () => {
  // Of a payload that is no alert: what is wrong with it is told only to who has signed it.
  const payload = '{"test": 2432232314}';
  const example = {
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1_614_265_330,
  };
  expect(signStandard(payload, example)['webhook-signature']).toBe(
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  );
  await using known = await openWebhook({ environment: { WEBHOOK_SECRETS: `standard:${example.secret}` } });
  const answer = await known.deliver(payload, signStandard(payload, { ...example, timestamp: now() }));
  expect(answer.statusCode).toBe(422);
});

test('both secrets count while they are rotated, also in one header of several signatures', async () => {
  const [today, tomorrow, foreign] = [secret, nextSecret, foreignSecret].map((each) =>
    signStandard(body, { secret: each }),
  );
  expect((await webhook.deliver(body, today)).statusCode).toBe(202);
  expect((await webhook.deliver(body, tomorrow)).statusCode).toBe(202);
  const both = `v2,abc v1a,def ${foreign?.['webhook-signature']} ${tomorrow?.['webhook-signature']}`;
  expect((await webhook.deliver(body, { ...today, 'webhook-signature': both })).statusCode).toBe(202);
  expect(await webhook.jobs()).toHaveLength(1);
});

test('the same delivery again is answered with the same job', async () => {
  const headers = signStandard(body, { secret });
  const first = await webhook.deliver(body, headers);
  const again = await webhook.deliver(body, headers);
  expect(again.statusCode).toBe(202);
  expect(again.body).toBe(first.body);
  expect(await webhook.jobs()).toHaveLength(1);
  expect(await webhook.deliveries()).toEqual({ 'standard accepted': 1, 'standard duplicate': 1 });
});

test('the same event under another delivery id is the same job', async () => {
  const spaced = JSON.stringify(exampleAlert, null, 2);
  await webhook.deliver(body, signStandard(body, { secret, id: 'msg_1' }));
  await webhook.deliver(spaced, signStandard(spaced, { secret, id: 'msg_2' }));
  expect(await webhook.jobs()).toHaveLength(1);
});

test('a bare alert is known again by what it says', async () => {
  const bare = JSON.stringify(exampleAlert.detail);
  const other = JSON.stringify({ ...exampleAlert.detail, entity_id: 'stu_4533' });
  for (const sent of [bare, bare, other]) {
    expect((await webhook.deliver(sent, signStandard(sent, { secret }))).statusCode).toBe(202);
  }
  expect(await webhook.jobs()).toHaveLength(2);
});

test.each([299, -299])('a timestamp %d s ago is in time', async (ageSeconds) => {
  const headers = signStandard(body, { secret, timestamp: now() - ageSeconds });
  expect((await webhook.deliver(body, headers)).statusCode).toBe(202);
});

test.each([
  ['late', () => signStandard(body, { secret, timestamp: now() - 302 }), 'more than 5 minutes ago'],
  ['early', () => signStandard(body, { secret, timestamp: now() + 310 }), 'ahead of the clock'],
  ['signed with a foreign secret', () => signStandard(body, { secret: foreignSecret }), 'fits no secret'],
  ['a signature of another body', () => signStandard(`${body} `, { secret }), 'fits no secret'],
  ['of another id', () => ({ ...signStandard(body, { secret }), 'webhook-id': 'msg_2' }), 'fits no secret'],
  [
    'given a newer timestamp',
    () => ({
      ...signStandard(body, { secret, timestamp: now() - 1_000 }),
      'webhook-timestamp': String(now()),
    }),
    'fits no secret',
  ],
  ['without a version', () => withSignature((signature) => signature.slice(3)), 'fits no secret'],
  ['of another version', () => withSignature((signature) => `v2${signature.slice(2)}`), 'fits no secret'],
  ['cut short', () => withSignature((signature) => signature.slice(0, -4)), 'fits no secret'],
  ['empty', () => withSignature(() => 'v1,'), 'fits no secret'],
  ['no time', () => ({ ...signStandard(body, { secret }), 'webhook-timestamp': 'now' }), 'in seconds'],
  ['without its id', () => without('webhook-id'), 'needs the header webhook-id'],
  ['without its timestamp', () => without('webhook-timestamp'), 'needs the header webhook-timestamp'],
  ['without its signature', () => without('webhook-signature'), 'needs the header webhook-signature'],
])('a delivery that is %s is refused', async (_what, headersOf, reason) => {
  const answer = await webhook.deliver(body, headersOf());
  expect(answer.statusCode).toBe(401);
  expect(answer.json()).toMatchObject({
    code: 'UNAUTHENTICATED',
    detail: expect.stringContaining(reason),
  });
  expect(await webhook.jobs()).toEqual([]);
  expect(await webhook.deliveries()).toEqual({ 'standard unauthenticated': 1 });
});

test('one changed byte of the body is enough', async () => {
  const headers = signStandard(body, { secret });
  const changed = body.replace('"ib_calls_14d":5', '"ib_calls_14d":6');
  expect(changed).not.toBe(body);
  expect((await webhook.deliver(changed, headers)).statusCode).toBe(401);
  // Bytes that are no text read the same as a replacement character: the text is signed, the bytes are not.
  const replaced = body.replace('has 5', 'has \ufffd');
  const unreadable = Buffer.from(replaced.replace('\ufffd', '\u0080'), 'latin1');
  expect((await webhook.deliver(unreadable, signStandard(replaced, { secret }))).statusCode).toBe(401);
});

function withSignature(change: (signature: string) => string): Record<string, string> {
  const headers = signStandard(body, { secret });
  return { ...headers, 'webhook-signature': change(headers['webhook-signature'] ?? '') };
}

function without(name: string): Record<string, string> {
  const { [name]: _left, ...rest } = signStandard(body, { secret });
  return rest;
}
