import { z } from 'zod';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { churnInsight, type Insight } from '../../../shared/contracts/churn-insight.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import exampleEvent from '../../fixtures/test-alert.json' with { type: 'json' };
import { apiOptions } from '../../support/api-options.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';

const alert = exampleEvent.detail;

const openapiSchema = z.object({
  openapi: z.literal('3.1.0'),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        requestBody: z
          .object({
            content: z.record(
              z.string(),
              z.object({ examples: z.record(z.string(), z.object({ value: z.unknown() })).optional() }),
            ),
          })
          .optional(),
      }),
    ),
  ),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

let fleet: TestFleet;
let server: HttpServer;
beforeEach(async () => {
  fleet = await openTestFleet([churnInsight]);
  server = await buildServer(apiOptions(fleet));
});
afterEach(async () => {
  await server.close();
  await fleet[Symbol.asyncDispose]();
});

function post(payload: object, { query = '', headers = {} }: { query?: string; headers?: object } = {}) {
  return server.inject({ method: 'POST', url: `/v1/alerts${query}`, payload, headers: { ...headers } });
}

const jobIdOf = (response: Awaited<ReturnType<typeof post>>) => response.json<{ job_id: string }>().job_id;

const jobs = () => fleet.ledger.list({ limit: 10 });

/** A worker that tells the same of every alert; answers how many it did. */
function consume(): () => number {
  let runs = 0;
  fleet.consume(churnInsight, {
    start(_payload, { jobId }) {
      runs += 1;
      return Promise.resolve(insightOf(jobId));
    },
  });
  return () => runs;
}

function insightOf(jobId: string): Insight {
  return {
    alert_id: 'high_ib_call_frequency_stu_4532_1767268800123',
    entity_id: 'stu_4532',
    prediction_type: 'high_ib_call_frequency',
    risk_score: 70,
    explanation: 'Five calls in 14 days.',
    recommendations: ['Call', 'Write'],
    timestamp: '2026-01-01T12:00:00.123456Z',
    model_used: 'openai-gpt-4.1',
    job_id: jobId,
    prompt_version: '1',
    degraded: false,
  };
}

describe('an alert', () => {
  test.each<[string, object]>([
    ['in an event of EventBridge', exampleEvent],
    ['by itself', alert],
  ])('%s is accepted with 202, and its job can be looked up', async (_what, payload) => {
    const response = await post(payload, { headers: { 'x-request-id': 'my-request.1' } });
    expect(response.statusCode).toBe(202);
    const jobId = jobIdOf(response);
    expect(response.json()).toEqual({
      job_id: jobId,
      queue: 'churn-insight',
      state: 'accepted',
      status_url: `/v1/jobs/${jobId}`,
    });
    const job = await server.inject(`/v1/jobs/${jobId}`);
    expect(job.json()).toMatchObject({ state: 'accepted', request_id: 'my-request.1' });
  });

  test('whose sender waits is answered with the insight', async () => {
    consume();
    const response = await post(exampleEvent, { query: '?wait_ms=30000' });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual(insightOf(String(response.headers.location).split('/').at(-1) ?? ''));
  });

  test('that fails while its sender waits is answered with the failure', async () => {
    fleet.consume(churnInsight, {
      start() {
        throw new JobError('permanent', 'The vendor called our request malformed', { code: 'REFUSED' });
      },
    });
    const response = await post(exampleEvent, { query: '?wait_ms=30000' });
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ job_id: expect.any(String), detail: expect.any(String) });
  });
});

describe('what is no alert is refused and accepted nowhere', () => {
  const known = 'high_ib_call_frequency, low_health_score, supply_demand_imbalance';
  const unknown = { ...alert, alert_type: 'churned' };

  test.each<[string, object, string, string]>([
    ['an unknown type', unknown, '#/alert_type', known],
    ['an unknown type in an event', { ...exampleEvent, detail: unknown }, '#/detail/alert_type', known],
    ['an unknown type and nothing else', { alert_type: '' }, '#/alert_type', known],
    ['no type', { ...alert, alert_type: undefined }, '#/alert_type', ''],
    ['a type that is no text', { ...exampleEvent, detail: { alert_type: 5 } }, '#/detail/alert_type', ''],
    ['a missing fact', { ...alert, details: { health_score: 65 } }, '#/details/ib_calls_14d', 'number'],
    [
      'a missing fact in an event',
      { ...exampleEvent, detail: { ...alert, details: { health_score: 65 } } },
      '#/detail/details/ib_calls_14d',
      'number',
    ],
    [
      'a fact as text',
      { ...alert, details: { ib_calls_14d: '5', health_score: 65 } },
      '#/details/ib_calls_14d',
      'number',
    ],
    ['no facts', { ...alert, details: null }, '#/details', ''],
    ['no entity', { ...alert, entity_id: '' }, '#/entity_id', ''],
    ['half a character', { ...alert, entity_id: '\ud83d' }, '#/entity_id', 'well-formed'],
    ['an event without an alert', { ...exampleEvent, detail: null }, '#/detail', ''],
    ['an event whose alert is beside it', { ...unknown, detail: {} }, '#/detail/alert_type', ''],
    ['a list', [alert], '#', ''],
  ])('%s', async (_what, payload, pointer, detail) => {
    const response = await post(payload);
    expect(response.statusCode).toBe(422);
    expect(response.headers['content-type']).toContain('application/problem+json');
    const problem = response.json<{ code: string; errors: { pointer: string; detail: string }[] }>();
    expect(problem.code).toBe('VALIDATION_ERROR');
    const found = problem.errors.find((error) => error.pointer === pointer);
    expect(found?.detail).toContain(detail);
    expect(response.body).not.toContain('stu_4532');
    expect(await jobs()).toEqual([]);
  });
});

describe('the same alert again', () => {
  const reversed = (value: object) => Object.fromEntries(Object.entries(value).toReversed());

  test.each<[string, object, object]>([
    ['an event', exampleEvent, exampleEvent],
    ['an alert', alert, alert],
    [
      'an alert with its fields in another order',
      alert,
      reversed({ ...alert, details: reversed(alert.details) }),
    ],
    ['an event with the same id', exampleEvent, { ...exampleEvent, time: '2025-01-01T12:05:00Z' }],
  ])('is the same job: %s', async (_what, first, second) => {
    const responses = [await post(first), await post(second)];
    expect(responses.map((response) => response.statusCode)).toEqual([202, 202]);
    expect(responses[1]?.body).toBe(responses[0]?.body);
    expect(await jobs()).toHaveLength(1);
  });

  test('50 times at once is one job', async () => {
    const responses = await Promise.all(Array.from({ length: 50 }, () => post(exampleEvent)));
    expect(new Set(responses.map((response) => response.body)).size).toBe(1);
    expect(await jobs()).toHaveLength(1);
  });

  test.each<[string, object]>([
    ['another event', { ...exampleEvent, id: 'another-id' }],
    ['another number', { ...alert, details: { ...alert.details, health_score: 64 } }],
  ])('%s is another job', async (_what, other) => {
    const ids = [jobIdOf(await post(exampleEvent)), jobIdOf(await post(other))];
    expect(new Set(ids).size).toBe(2);
  });

  test('differing in what is not looked at, bare alerts are two jobs', async () => {
    const windows = ['A', 'B'].map((window) => ({ ...alert, details: { ...alert.details, window } }));
    const ids = await Promise.all(windows.map(async (body) => jobIdOf(await post(body))));
    expect(new Set(ids).size).toBe(2);
  });

  test('once it is done, is answered with its insight at once and not done again', async () => {
    const runs = consume();
    const first = await post(exampleEvent, { query: '?wait_ms=30000' });
    const second = await post(exampleEvent, { query: '?wait_ms=30000' });
    expect(second.statusCode).toBe(200);
    expect(second.body).toBe(first.body);
    expect(runs()).toBe(1);
  });

  test('while the first is waited for, is answered with the same insight', async () => {
    const gate = Promise.withResolvers<void>();
    fleet.consume(churnInsight, {
      start: (_payload, { jobId }) => gate.promise.then(() => insightOf(jobId)),
    });
    const waiting = [1, 2, 3].map(() => post(exampleEvent, { query: '?wait_ms=30000' }));
    expect((await post(exampleEvent)).statusCode).toBe(202);
    gate.resolve();
    const responses = await Promise.all(waiting);
    expect(responses.map((response) => response.statusCode)).toEqual([200, 200, 200]);
    expect(new Set(responses.map((response) => response.body)).size).toBe(1);
  });
});

describe('an Idempotency-Key', () => {
  const withKey = (key: string) => ({ headers: { 'idempotency-key': key } });

  test('with the same alert is the same job, with another one a mistake', async () => {
    const first = await post(exampleEvent, withKey('key-1'));
    expect(first.statusCode).toBe(202);
    expect((await post(exampleEvent, withKey('key-1'))).body).toBe(first.body);
    const other = await post({ ...exampleEvent, id: 'another-id' }, withKey('key-1'));
    expect(other.statusCode).toBe(422);
    expect(other.json()).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    expect(await jobs()).toHaveLength(1);
  });

  test('another one, or none, with the same alert is the same job', async () => {
    const first = await post(exampleEvent, withKey('key-1'));
    const others = [
      await post(exampleEvent, withKey('key-2')),
      await post(exampleEvent),
      await post(exampleEvent, withKey('key-2')),
    ];
    expect(others.map((response) => response.body)).toEqual(others.map(() => first.body));
    expect(await jobs()).toHaveLength(1);
  });

  test('another one after the job is done is answered with its insight, and answers it again', async () => {
    const runs = consume();
    const first = await post(exampleEvent, { query: '?wait_ms=30000' });
    const keyed = { ...withKey('key-3'), query: '?wait_ms=30000' };
    const second = await post(exampleEvent, keyed);
    expect(second.statusCode).toBe(200);
    expect(second.body).toBe(first.body);
    expect((await post(exampleEvent, keyed)).body).toBe(first.body);
    expect(runs()).toBe(1);
  });

  test('two at once with the same alert make one job', async () => {
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, index) => post(exampleEvent, withKey(`key-${index}`))),
    );
    expect(responses.map((response) => response.statusCode)).toEqual(responses.map(() => 202));
    expect(new Set(responses.map(jobIdOf)).size).toBe(1);
    expect(await jobs()).toHaveLength(1);
  });
});

test('is described with document 002’s example, and every reference of the description leads somewhere', async () => {
  const response = await server.inject('/openapi.json');
  const document = openapiSchema.parse(response.json());
  const content = document.paths['/v1/alerts']?.['post']?.requestBody?.content['application/json'];
  expect(Object.values(content?.examples ?? {}).map(({ value }) => value)).toEqual([exampleEvent, alert]);
  for (const example of [exampleEvent, alert]) {
    expect(churnInsight.payload.safeParse(example).success).toBe(true);
  }
  expect(document.paths['/v1/insights/{entity_id}']).toHaveProperty('get');
  const references = [...response.body.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
    ([, name]) => name,
  );
  expect(references).toContain('Problem');
  expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(references));
});
