import { Queue } from 'bullmq';
import fc from 'fast-check';
import type { HttpServer } from '../../shared/http/http-server.ts';
import { buildServer } from '../../producers/api/build-server.ts';
import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import { apiOptions } from '../support/api-options.ts';
import { openCallTime, type CallTime } from '../support/open-call-time.ts';
import { openTestFleet, type TestFleet } from '../support/open-test-fleet.ts';
import { busyMachineMs, until } from '../support/until.ts';

let fleet: TestFleet;
let server: HttpServer;
let callTime: CallTime;
beforeAll(async () => {
  fleet = await openTestFleet([callTimePrediction]);
  server = await buildServer(apiOptions(fleet, { queueLimit: { assertRoom: () => Promise.resolve() } }));
  callTime = await openCallTime({ withEndpoint: false });
});
afterAll(async () => {
  await server.close();
  await callTime[Symbol.asyncDispose]();
  await fleet[Symbol.asyncDispose]();
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ maxLength: 40 }),
  fc.constant('\u0000'),
);
/** Between nonsense and what is right. */
const contact = fc.record(
  {
    id: fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: fc.jsonValue() }),
    phoneNumber: fc.oneof(
      fc.constantFrom('+972501234567', '+12125550123', '+80012345678', '+1', '+', ''),
      text,
      fc.jsonValue(),
    ),
    timezone: fc.oneof(
      fc.constantFrom('Asia/Jerusalem', 'UTC', '+02:00', 'Mars/Base', ''),
      text,
      fc.jsonValue(),
    ),
    metadata: fc.oneof(fc.dictionary(text, fc.jsonValue(), { maxKeys: 5 }), fc.jsonValue()),
  },
  { requiredKeys: [] },
);
/** Right in form, whatever it says. */
const wellFormedContact = fc.record(
  {
    id: fc.string({ unit: 'binary', minLength: 1, maxLength: 128 }),
    phoneNumber: fc.oneof(
      fc.constantFrom('+972501234567', '+12125550123', '+80012345678', '+1'),
      fc.string({ maxLength: 64 }),
    ),
    timezone: fc.oneof(
      fc.constantFrom('Asia/Jerusalem', 'UTC', 'ACt', 'Mars/Base', ''),
      fc.string({ maxLength: 64 }),
    ),
    metadata: fc.dictionary(fc.string({ unit: 'binary', maxLength: 20 }), fc.jsonValue(), { maxKeys: 5 }),
  },
  { requiredKeys: ['id', 'phoneNumber'] },
);
const payload = fc.oneof(fc.record({ contacts: fc.array(contact, { maxLength: 8 }) }), fc.jsonValue());
const pathPart = text.map(encodeURIComponent).filter((part) => part !== '.' && part !== '..');

interface Answer {
  statusCode: number;
  headers: Record<string, unknown>;
  body: string;
}

function expectHonest(answer: Answer): void {
  expect(answer.statusCode).toBeLessThan(500);
  expect(answer.body).not.toMatch(/node_modules|\.ts:\d+|\bat (async )?[\w.<>]+ \(/);
  expect(answer.headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
  if (answer.statusCode >= 400) {
    expect(String(answer.headers['content-type'])).toContain('application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({ status: answer.statusCode, code: expect.any(String) });
  }
}

test('any body that is JSON gets an honest answer', async () => {
  await fc.assert(
    fc.asyncProperty(payload, async (body) => {
      const answer = await server.inject({
        method: 'POST',
        url: '/v1/call-times',
        headers: { 'content-type': 'application/json' },
        payload: JSON.stringify(body),
      });
      expectHonest(answer);
      expect([202, 400, 413, 422]).toContain(answer.statusCode);
    }),
    { numRuns: 300 },
  );
});

test('any bytes and any headers get an honest answer', async () => {
  const header = fc.string({ maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      header,
      header,
      header,
      header,
      async (bytes, type, key, id, trace) => {
        expectHonest(
          await server.inject({
            method: 'POST',
            url: '/v1/call-times',
            headers: { 'content-type': type, 'idempotency-key': key, 'x-request-id': id, traceparent: trace },
            payload: Buffer.from(bytes),
          }),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('any path and query of any route get an honest answer', async () => {
  const route = fc.oneof(
    fc
      .tuple(fc.constantFrom('/v1/jobs/', '/v1/call-times/', '/v1/pages/', '/v1/', '/docs/', '/'), pathPart)
      .map((parts) => parts.join('')),
    pathPart.map((part) => `/v1/jobs/${part}/cancel`),
    pathPart.map((part) => `/v1/jobs/${part}/retry`),
    pathPart.map((part) => `/v1/jobs/${part}/events`),
    fc.tuple(pathPart, pathPart).map(([userId, pageKey]) => `/v1/pages/${userId}/${pageKey}`),
    pathPart.map((part) => `/v1/predictions/${part}`),
    pathPart.map((part) => `/v1/lead-scores/${part}`),
    fc.constantFrom('/v1/jobs', '/v1/call-times', '/openapi.json'),
  );
  const query = fc.dictionary(
    fc.oneof(fc.constantFrom('queue', 'state', 'since', 'search', 'limit', 'cursor', 'wait_ms'), pathPart),
    text.map(encodeURIComponent),
    { maxKeys: 4 },
  );
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS');
  await fc.assert(
    fc.asyncProperty(method, route, query, async (verb, path, parameters) => {
      const search = Object.entries(parameters)
        .map(([name, value]) => `${name}=${value}`)
        .join('&');
      const answer = await server.inject({ method: verb as 'GET', url: `${path}?${search}` });
      if (verb !== 'HEAD') expectHonest(answer);
    }),
    { numRuns: 300 },
  );
});

test('the worker answers every contact of whatever the API takes in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(wellFormedContact, { minLength: 1, maxLength: 8 }), async (contacts) => {
      const parsed = callTimePrediction.payload.parse({ contacts });
      const { predictions, errors } = await callTime.run(parsed.contacts);
      expect(predictions.length + errors.length).toBe(contacts.length);
      callTimePrediction.result.parse({ predictions, errors });
    }),
    { numRuns: 150 },
  );
});

test('whatever lies in the queue, the worker lives', async () => {
  fleet.consume(callTimePrediction, { start: () => Promise.resolve({ predictions: [], errors: [] }) });
  const name = callTimePrediction.name;
  const queue = new Queue(name, { connection: fleet.redis.client, prefix: fleet.keys.prefix(name) });
  const garbage = fc.sample(fc.oneof(fc.jsonValue(), payload), 60);
  for (const data of garbage) await queue.add('garbage', data);
  await until(async () => (await fleet.dispatcher.depth(name)).failed >= garbage.length);
  const job = await fleet.enqueue.enqueue(callTimePrediction, {
    contacts: [{ id: 'a', phoneNumber: '+972501234567' }],
  });
  expect(await fleet.results.wait(job.id, busyMachineMs)).toMatchObject({ state: 'completed' });
  await queue.close();
});
