import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { z } from 'zod';
import { buildServer } from '../../../producers/api/build-server.ts';
import { leadScoring } from '../../../shared/contracts/lead-scoring.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import type { ResultChannel } from '../../../shared/queue/open-result-channel.ts';
import { apiOptions } from '../../support/api-options.ts';
import { emptyScores, openLeadApi, predictPath, type LeadApi } from '../../support/open-lead-api.ts';
import { until } from '../../support/until.ts';

/** How long the last request was to wait, in milliseconds. */
let askedToWaitMs: number | undefined;
/** Ends waiting at once, as if the time had passed. */
let isImpatient: boolean;
let api: LeadApi;
beforeEach(async () => {
  askedToWaitMs = undefined;
  isImpatient = false;
  api = await openLeadApi(({ results }) => ({ results: watched(results) }));
});
afterEach(() => api[Symbol.asyncDispose]());

function watched(results: ResultChannel): ResultChannel {
  return {
    ...results,
    wait(jobId, timeoutMs, signal) {
      askedToWaitMs = timeoutMs;
      return results.wait(jobId, isImpatient ? 1 : timeoutMs, signal);
    },
  };
}

const jobs = () => api.fleet.ledger.list({ limit: 10 });
const jobIdSchema = z.object({ job_id: z.uuid() });

test.each([
  ['a raw array', ['lead_1', 'lead_2']],
  ['an object', { lead_ids: ['lead_1', 'lead_2'] }],
])('%s goes through the queue; its caller waits for the result', async (_form, body) => {
  await api.tell();
  api.fleet.consume(leadScoring, { start: () => Promise.resolve(emptyScores) });
  const response = await api.post(predictPath, body, { headers: { 'x-request-id': 'request.1' } });
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({ ...emptyScores, request_id: 'request.1' });
  expect(response.headers['x-request-id']).toBe('request.1');
  expect(askedToWaitMs).toBe(30_000);
  const [job, ...more] = await jobs();
  expect(more).toEqual([]);
  expect(job).toMatchObject({ payload: { lead_ids: ['lead_1', 'lead_2'] }, requestId: 'request.1' });
  expect(response.headers.location).toBe(`/v1/jobs/${job?.id}`);
});

const many = Array.from({ length: 2_001 }, (_, index) => `lead_${index}`);

test.each([
  ['not JSON', '["lead_1"', 400, 'INVALID_JSON', []],
  ['nothing', '', 400, 'INVALID_JSON', []],
  ['an empty array', [], 422, 'VALIDATION_ERROR', ['#']],
  ['an object with an empty array', { lead_ids: [] }, 422, 'VALIDATION_ERROR', ['#/lead_ids']],
  ['a number for ids', { lead_ids: 5 }, 422, 'VALIDATION_ERROR', ['#/lead_ids']],
  ['an object without ids', { leads: ['lead_1'] }, 422, 'VALIDATION_ERROR', ['#/lead_ids']],
  ['a text', '"lead_1"', 422, 'VALIDATION_ERROR', ['#']],
  ['null', 'null', 422, 'VALIDATION_ERROR', ['#']],
  ['an id that is a number', ['lead_1', 2], 422, 'VALIDATION_ERROR', ['#/1']],
  ['a number in the object', { lead_ids: ['lead_1', 2] }, 422, 'VALIDATION_ERROR', ['#/lead_ids/1']],
  ['a part of a bulk', { total: 5, chunks: 1 }, 422, 'VALIDATION_ERROR', ['#/lead_ids']],
  ['2,001 ids', many, 413, 'PAYLOAD_TOO_LARGE', ['#']],
  ['2,001 ids in an object', { lead_ids: many }, 413, 'PAYLOAD_TOO_LARGE', ['#/lead_ids']],
])('refuses %s', async (_what, body, status, code, pointers) => {
  await api.tell();
  const response = await api.post(predictPath, body);
  expect(response.statusCode).toBe(status);
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect(response.json()).toMatchObject({
    code,
    request_id: response.headers['x-request-id'],
    errors: pointers.map((pointer) => ({ pointer, detail: expect.any(String) })),
  });
  expect(await jobs()).toEqual([]);
});

test('any other JSON gets an honest answer', async () => {
  const body = fc.oneof(
    fc.jsonValue(),
    fc.array(fc.oneof(fc.string(), fc.jsonValue()), { maxLength: 5 }),
    fc.record({ lead_ids: fc.jsonValue() }),
  );
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      const response = await api.post(predictPath, value);
      // Nothing has a model here: what is right in form is refused for that.
      expect([400, 413, 422, 503]).toContain(response.statusCode);
      expect(response.headers['content-type']).toContain('application/problem+json');
    }),
    { numRuns: 200 },
  );
  expect(await jobs()).toEqual([]);
});

test('takes 2,000 ids, and of an object nothing but the ids', async () => {
  await api.tell();
  api.fleet.consume(leadScoring, { start: () => Promise.resolve(emptyScores) });
  const body = { lead_ids: many.slice(1), first_position: 7 };
  expect((await api.post(predictPath, body)).statusCode).toBe(200);
  expect((await jobs())[0]?.payload).toEqual({ lead_ids: many.slice(1) });
});

test('no worker with a model: 503, and nothing is accepted', async () => {
  await api.tellNotReady();
  await api.tell({ at: new Date(Date.now() - 31_000).toISOString() });
  const response = await api.post(predictPath, ['lead_1']);
  expect(response.statusCode).toBe(503);
  expect(response.json()).toMatchObject({ code: 'MODEL_NOT_READY' });
  expect(response.headers['retry-after']).toBe('5');
  expect(await jobs()).toEqual([]);
});

test('a job that fails is told as a problem', async () => {
  await api.tell();
  api.fleet.consume(leadScoring, {
    start() {
      throw new JobError('permanent', 'The model is gone', { code: 'MODEL_VERSION_UNKNOWN' });
    },
  });
  const response = await api.post(predictPath, ['lead_1']);
  expect(response.statusCode).toBe(500);
  expect(response.json()).toMatchObject({
    code: 'INTERNAL_ERROR',
    detail: 'The model is gone',
    job_id: (await jobs())[0]?.id,
  });
});

test('a job that somebody cancels is told as that', async () => {
  await api.tell();
  const answer = api.post(predictPath, ['lead_1']);
  await until(async () => (await jobs()).length === 1);
  const [job] = await jobs();
  const cancelled = await api.server.inject({ method: 'POST', url: `/v1/jobs/${job?.id}/cancel` });
  expect(cancelled.statusCode).toBe(200);
  expect((await answer).statusCode).toBe(409);
  expect((await answer).json()).toMatchObject({ code: 'CANCELLED', job_id: job?.id });
});

test('not done in time: 504 with the job, which goes on', async () => {
  isImpatient = true;
  await api.tell();
  const response = await api.post(predictPath, ['lead_1']);
  expect(response.statusCode).toBe(504);
  expect(response.json()).toMatchObject({ code: 'STILL_QUEUED' });
  const { job_id: jobId } = jobIdSchema.parse(response.json());
  api.fleet.consume(leadScoring, { start: () => Promise.resolve(emptyScores) });
  await until(async () => (await api.fleet.ledger.read(jobId))?.state === 'completed');
  const job = await api.server.inject(`/v1/jobs/${jobId}`);
  expect(job.json()).toMatchObject({ state: 'completed', result: emptyScores });
});

test('a server that stops answers at once', async () => {
  const stopping = new AbortController();
  await using stopped = await buildServer(apiOptions(api.fleet, { stopping: stopping.signal }));
  await api.tell();
  const answer = api.post(predictPath, ['lead_1'], { on: stopped });
  await until(async () => (await jobs()).length === 1);
  stopping.abort();
  expect((await answer).json()).toMatchObject({ code: 'STILL_QUEUED', job_id: (await jobs())[0]?.id });
  const late = await api.post(predictPath, ['lead_1'], { on: stopped });
  expect(late.json()).toMatchObject({ code: 'STILL_QUEUED' });
});

describe('with an idempotency key', () => {
  const headers = { 'idempotency-key': '"batch-1"' };

  test('both forms are one request, answered the same', async () => {
    await api.tell();
    api.fleet.consume(leadScoring, { start: () => Promise.resolve(emptyScores) });
    const first = await api.post(predictPath, ['lead_1'], { headers });
    const second = await api.post(predictPath, { lead_ids: ['lead_1'] }, { headers });
    expect(second.statusCode).toBe(200);
    expect(second.body).toBe(first.body);
    const other = await api.post(predictPath, ['lead_2'], { headers });
    expect(other.statusCode).toBe(422);
    expect(other.json()).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    expect(await jobs()).toHaveLength(1);
  });

  test('a repetition of what was not done in time waits for the same job', async () => {
    isImpatient = true;
    await api.tell();
    const first = await api.post(predictPath, ['lead_1'], { headers });
    expect(first.statusCode).toBe(504);
    isImpatient = false;
    const release = Promise.withResolvers<void>();
    api.fleet.consume(leadScoring, { start: () => release.promise.then(() => emptyScores) });
    askedToWaitMs = undefined;
    const second = api.post(predictPath, ['lead_1'], { headers });
    await until(() => askedToWaitMs !== undefined);
    release.resolve();
    expect((await second).statusCode).toBe(200);
    const { job_id: jobId } = jobIdSchema.parse(first.json());
    expect((await second).headers.location).toBe(`/v1/jobs/${jobId}`);
    expect((await api.post(predictPath, ['lead_1'], { headers })).body).toBe((await second).body);
    expect(await jobs()).toHaveLength(1);
  });
});

test('the caller who hangs up leaves a job that is done all the same', async () => {
  await api.tell();
  const url = await api.server.listen({ port: 0, host: '127.0.0.1' });
  const gone = new AbortController();
  const request = fetch(`${url}${predictPath}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '["lead_1"]',
    signal: gone.signal,
  });
  await until(async () => (await jobs()).length === 1);
  gone.abort();
  await expect(request).rejects.toThrow();
  api.fleet.consume(leadScoring, { start: () => delay(1, emptyScores) });
  await until(async () => (await jobs())[0]?.state === 'completed');
});

test('is described with both forms, its answer and the closed list of codes', async () => {
  const response = await api.server.inject('/openapi.json');
  const document = z
    .object({
      paths: z.record(
        z.string(),
        z.record(z.string(), z.looseObject({ tags: z.array(z.string()).optional() })),
      ),
    })
    .parse(response.json());
  const route = document.paths[predictPath]?.['post'];
  expect(route?.tags).toEqual(['advanced ml']);
  expect(route).toMatchObject({
    requestBody: {
      content: {
        'application/json': {
          examples: {
            example1: { value: ['lead_1', 'lead_2'] },
            example2: { value: { lead_ids: ['lead_1', 'lead_2'] } },
          },
        },
      },
    },
  });
  const statuses = z.object({ responses: z.record(z.string(), z.unknown()) }).parse(route).responses;
  expect(Object.keys(statuses)).toEqual(expect.arrayContaining(['200', '413', '422', '500', '503', '504']));
  expect(Object.keys(statuses)).not.toContain('202');
  for (const expected of [
    'MODEL_NOT_READY',
    'CIRCUIT_OPEN',
    'STILL_QUEUED',
    'request_id',
    'LEAD_NOT_FOUND',
  ]) {
    expect(response.body).toContain(expected);
  }
});
