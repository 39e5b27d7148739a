import { setTimeout as delay } from 'node:timers/promises';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import { apiOptions } from '../../support/api-options.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';

const contact = { id: 'contact_123', phoneNumber: '+972501234567', timezone: 'Asia/Jerusalem' };
const answer = { predictions: [], errors: [] };

let servers: PrivateServers;
let redis: EmbeddedServer;
let fleet: TestFleet;
let server: HttpServer;

beforeAll(async () => {
  servers = await openPrivateServers();
  redis = await servers.startRedis();
});
afterAll(() => servers[Symbol.asyncDispose]());
beforeEach(async () => {
  fleet = await openTestFleet([callTimePrediction], { kind: 'url', url: redis.url });
  server = await buildServer(apiOptions(fleet));
});
afterEach(async () => {
  await server.close();
  await fleet[Symbol.asyncDispose]();
});

function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  return server.inject({
    method: 'POST',
    url: path,
    headers: { 'content-type': 'application/json', ...headers },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

test('accepts with 202, and the job can be looked up', async () => {
  const response = await post('/v1/call-times', { contacts: [contact] }, { 'x-request-id': 'my-request.1' });
  expect(response.statusCode).toBe(202);
  expect(response.headers['x-request-id']).toBe('my-request.1');
  const body = response.json<{ job_id: string; status_url: string }>();
  expect(body).toEqual({
    job_id: expect.any(String),
    queue: 'call-time-prediction',
    state: 'accepted',
    status_url: `/v1/jobs/${body.job_id}`,
  });
  const job = await server.inject(body.status_url);
  expect(job.json()).toMatchObject({
    state: 'accepted',
    attempts: 0,
    result: null,
    error: null,
    request_id: 'my-request.1',
  });
});

test('waits for the result', async () => {
  fleet.consume(callTimePrediction, { start: () => delay(50, answer) });
  const response = await post('/v1/call-times?wait_ms=30000', { contacts: [contact] });
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual(answer);
});

test('answers 202 when the result is not there in time', async () => {
  const response = await post('/v1/call-times?wait_ms=100', { contacts: [contact] });
  expect(response.statusCode).toBe(202);
});

test('tells a failure within the waiting time as a problem', async () => {
  fleet.consume(callTimePrediction, {
    start() {
      throw new JobError('permanent', 'The model is gone', { code: 'GONE' });
    },
  });
  const response = await post('/v1/call-times?wait_ms=30000', { contacts: [contact] });
  expect(response.statusCode).toBe(500);
  expect(response.json()).toMatchObject({
    code: 'INTERNAL_ERROR',
    detail: 'The model is gone',
    job_id: expect.any(String),
  });
});

test.each([
  ['not JSON', '{"contacts":', 400, 'INVALID_JSON'],
  ['nothing', '', 400, 'INVALID_JSON'],
  ['the wrong type', { contacts: 5 }, 422, 'VALIDATION_ERROR'],
  ['a contact without an id', { contacts: [{ phoneNumber: '+972501234567' }] }, 422, 'VALIDATION_ERROR'],
  [
    'a phone number that is a number',
    { contacts: [{ id: 'a', phoneNumber: 972501234567 }] },
    422,
    'VALIDATION_ERROR',
  ],
  ['no contact', { contacts: [] }, 422, 'VALIDATION_ERROR'],
  ['10,001 contacts', { contacts: Array.from({ length: 10_001 }, () => contact) }, 413, 'PAYLOAD_TOO_LARGE'],
  [
    'more than 10 MiB',
    { contacts: [{ ...contact, metadata: { note: 'x'.repeat(11_000_000) } }] },
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  ['a prototype', '{"__proto__":{"contacts":[]}}', 400, 'INVALID_JSON'],
])('refuses %s', async (_what, body, status, code) => {
  const response = await post('/v1/call-times', body);
  expect(response.statusCode).toBe(status);
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect(response.json()).toMatchObject({
    code,
    status,
    title: expect.any(String),
    request_id: expect.any(String),
  });
  expect(response.body).not.toMatch(/\bat .*\.ts|97250/);
  expect(await fleet.ledger.list({ limit: 1 })).toEqual([]);
});

test('says where the mistake is', async () => {
  const response = await post('/v1/call-times', { contacts: [contact, { id: 'b', phoneNumber: null }] });
  expect(response.json()).toMatchObject({
    errors: [{ pointer: '#/contacts/1/phoneNumber', detail: expect.any(String) }],
  });
});

test.each([
  ['GET', '/v1/nothing', 404, 'NOT_FOUND'],
  ['DELETE', '/v1/call-times', 404, 'NOT_FOUND'],
  ['GET', '/v1/jobs/not-an-id', 404, 'NOT_FOUND'],
  ['GET', '/v1/jobs/018f0000-0000-7000-8000-000000000000', 404, 'NOT_FOUND'],
  ['GET', '/v1/call-times/nonsense', 422, 'VALIDATION_ERROR'],
  ['GET', '/v1/call-times/+972500000000', 404, 'NOT_FOUND'],
] as const)('%s %s is refused', async (method, url, status, code) => {
  const response = await server.inject({ method, url });
  expect(response.statusCode).toBe(status);
  expect(response.json()).toMatchObject({ code });
});

test.each(['-1', '30001', 'soon', '1.5'])('wait_ms=%s is refused', async (waitMs) => {
  const response = await post(`/v1/call-times?wait_ms=${waitMs}`, { contacts: [contact] });
  expect(response.statusCode).toBe(422);
  expect(response.json()).toMatchObject({ errors: [{ pointer: '#/wait_ms' }] });
});

test.each(['text/csv', 'text/plain'])('another media type is refused: %s', async (type) => {
  const response = await post('/v1/call-times', 'id,phoneNumber', { 'content-type': type });
  expect(response.statusCode).toBe(415);
  expect(response.json()).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
});

test('a request id that could not be logged safely is replaced', async () => {
  const response = await server.inject({ url: '/v1/nothing', headers: { 'x-request-id': 'a b\u00e9' } });
  expect(response.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
});

test('shows the newest prediction of a phone number, with a window that is not over', async () => {
  const base = {
    contact_id: 'contact_123',
    phone_number: '+972501234567',
    timezone: 'Asia/Jerusalem',
    preferred_days: '[1,2,3]',
    hour_start: 10,
    hour_end: 18,
    source: 'sagemaker' as const,
    window_start: new Date('2026-01-05T08:00:00Z'),
    window_end: new Date('2026-01-05T16:00:00Z'),
    position: 0,
  };
  await fleet.database.db
    .insertInto('call_time_predictions')
    .values([
      {
        ...base,
        job_id: '018f0000-0000-7000-8000-000000000001',
        confidence: 0.4,
        predicted_at: new Date('2026-01-01T00:00:00Z'),
      },
      {
        ...base,
        job_id: '018f0000-0000-7000-8000-000000000002',
        confidence: 0.85,
        predicted_at: new Date('2026-01-04T00:00:00Z'),
      },
    ])
    .execute();
  const response = await server.inject('/v1/call-times/+972501234567');
  expect(response.statusCode).toBe(200);
  const body = response.json<{ next_call_window: { end: string } }>();
  expect(body).toMatchObject({
    contactId: 'contact_123',
    optimalCallTime: {
      preferredDayOfWeek: [1, 2, 3],
      preferredHourRange: { start: 10, end: 18 },
      confidence: 0.85,
    },
    source: 'sagemaker',
    job_id: '018f0000-0000-7000-8000-000000000002',
  });
  expect(new Date(body.next_call_window.end).getTime()).toBeGreaterThan(Date.now());
});

test('describes itself with the documents example and the closed list of codes', async () => {
  const response = await server.inject('/openapi.json');
  const text = response.body;
  expect(response.json()).toMatchObject({ openapi: '3.1.0' });
  for (const expected of ['/v1/call-times', '/v1/jobs/{id}', 'STORE_UNAVAILABLE', 'contact_123', 'wait_ms']) {
    expect(text).toContain(expected);
  }
  expect((await server.inject('/docs/')).statusCode).toBe(200);
});

test('health and metrics', async () => {
  expect((await server.inject('/health/live')).statusCode).toBe(200);
  expect((await server.inject('/health/ready')).json()).toEqual({ status: 'ok', checks: { mysql: 'ok' } });
  await post('/v1/call-times', { contacts: [contact] });
  const metrics = (await server.inject('/metrics')).body;
  expect(metrics).toContain('presage_http_request_seconds_count{route="/v1/call-times",status="202"} 1');
});

test('accepts without Redis', async () => {
  await redis.stop();
  try {
    const response = await post('/v1/call-times', { contacts: [contact] });
    expect(response.statusCode).toBe(202);
    const job = await server.inject(response.json<{ status_url: string }>().status_url);
    expect(job.json()).toMatchObject({ state: 'accepted' });
  } finally {
    await redis.start();
  }
});
