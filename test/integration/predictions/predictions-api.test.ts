import { createHash } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { createPredictionReader } from '../../../producers/api/prediction-reader.ts';
import {
  hitRateSchema,
  storedPredictionSchema,
  type HitRate,
  type StoredPrediction,
} from '../../../shared/api-contract/stored-prediction.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import type { ApiKey, Scope } from '../../../shared/http-access/api-key.ts';
import { apiOptions } from '../../support/api-options.ts';
import { insertPredictions } from '../../support/insert-predictions.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';

interface Page {
  predictions: StoredPrediction[];
  hit_rate: HitRate[];
  next_cursor: number | null;
}

let fleet: TestFleet;
let server: HttpServer;
beforeAll(async () => {
  fleet = await openTestFleet([callTimePrediction]);
  server = await buildServer(apiOptions(fleet));
});
afterAll(async () => {
  await server.close();
  await fleet[Symbol.asyncDispose]();
});

const get = (userId: string, query = '') =>
  server.inject(`/v1/predictions/${encodeURIComponent(userId)}${query}`);

const insert = (rows: Parameters<typeof insertPredictions>[1]) => insertPredictions(fleet.database.db, rows);

test('everything that is known of a prediction, before and after it is scored', async () => {
  const windowStart = new Date('2026-03-02T09:00:00Z');
  const jobId = uuid();
  const sequence = { kind: 'sequence', after: 'login', activity: 'report', within_minutes: 15 } as const;
  const [first, second] = await insert([
    {
      user_id: 'ada',
      claimed_confidence: 0.95,
      reason: 'Opens it each morning',
      proposed_by: 'together-llama',
      window_start: windowStart,
      job_id: jobId,
    },
    {
      user_id: 'ada',
      page_key: 'report',
      pattern: JSON.stringify(sequence),
      confidence: 0.71,
      status: 'completed',
      window_start: windowStart,
      came_true: 1,
      scored_at: new Date('2026-03-02T10:00:05Z'),
    },
  ]);
  const response = await get('ada');
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({
    predictions: [
      {
        id: second,
        page_key: 'report',
        pattern: sequence,
        confidence: 0.71,
        claimed_confidence: null,
        reason: null,
        proposed_by: 'baseline-1',
        hits: 18,
        occasions: 20,
        status: 'completed',
        window_start: '2026-03-02T09:00:00.000Z',
        window_end: '2026-03-02T10:00:00.000Z',
        came_true: true,
        scored_at: '2026-03-02T10:00:05.000Z',
        job_id: null,
      },
      {
        id: first,
        page_key: 'dashboard',
        pattern: {
          kind: 'time',
          activity: 'dashboard',
          weekdays: [1, 2, 3, 4, 5],
          hour_start: 9,
          hour_end: 10,
        },
        confidence: 0.84,
        claimed_confidence: 0.95,
        reason: 'Opens it each morning',
        proposed_by: 'together-llama',
        hits: 18,
        occasions: 20,
        status: 'pending',
        window_start: '2026-03-02T09:00:00.000Z',
        window_end: '2026-03-02T10:00:00.000Z',
        came_true: null,
        scored_at: null,
        job_id: jobId,
      },
    ],
    hit_rate: [{ lower: 0.7, upper: 0.8, scored: 1, came_true: 1, realised: 1 }],
    next_cursor: null,
  });
});

test('newest first, page by page, every prediction once', async () => {
  const ids = await insert(Array.from({ length: 45 }, () => ({ user_id: 'bob' })));
  const pages: Page[] = [];
  for (let query = ''; ;) {
    const page = (await get('bob', query)).json<Page>();
    pages.push(page);
    if (page.next_cursor === null) break;
    query = `?cursor=${page.next_cursor}`;
  }
  expect(pages.map((page) => page.predictions.length)).toEqual([20, 20, 5]);
  expect(pages.flatMap((page) => page.predictions.map(({ id }) => id))).toEqual(ids.toReversed());
  expect((await get('bob', '?limit=45')).json<Page>().next_cursor).toBeNull();
});

test('the hit rate is by tenths of stated confidence, of what was scored, whatever the page shows', async () => {
  const scored = (confidence: number, ...outcomes: (0 | 1)[]) =>
    outcomes.map((came_true) => ({ user_id: 'eve', confidence, came_true, scored_at: new Date() }));
  await insert(
    [
      ...scored(0.7, 1, 0, 1),
      ...scored(0.79, 1),
      ...scored(0.8, 0),
      ...scored(1, 1, 1),
      // What would have led to it was not done; not scored yet; somebody else.
      { user_id: 'eve', confidence: 0.85, came_true: null, scored_at: new Date() },
      { user_id: 'eve', confidence: 0.85 },
      { user_id: 'eve ', confidence: 0.85, came_true: 1, scored_at: new Date() },
    ].map((row, day) => ({ ...row, window_start: new Date(Date.UTC(2026, 2, day + 1)) })),
  );
  const page = (await get('eve', '?limit=1')).json<Page>();
  expect(page.predictions).toHaveLength(1);
  expect(page.hit_rate).toEqual([
    { lower: 0.7, upper: 0.8, scored: 4, came_true: 3, realised: 0.75 },
    { lower: 0.8, upper: 0.9, scored: 1, came_true: 0, realised: 0 },
    { lower: 0.9, upper: 1, scored: 2, came_true: 2, realised: 1 },
  ]);
});

test('somebody whom nobody knows has none, and whose id differs in spaces at its end is another', async () => {
  await insert([{ user_id: 'space ' }]);
  for (const userId of ['nobody', 'space']) {
    const response = await get(userId);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ predictions: [], hit_rate: [], next_cursor: null });
  }
});

test.each(['not JSON', '"text"', '{"kind":"moon"}', '{"kind":"time","activity":"a"}'])(
  'a pattern that another system wrote in its own form is left out: %s',
  async (pattern) => {
    const userId = `other ${pattern}`;
    await insert([{ user_id: userId, pattern }]);
    expect((await get(userId)).json<Page>().predictions).toMatchObject([{ pattern: null, confidence: 0.84 }]);
  },
);

test.each([
  ['?limit=0', '#/limit'],
  ['?limit=101', '#/limit'],
  ['?limit=many', '#/limit'],
  ['?cursor=0', '#/cursor'],
  ['?cursor=yesterday', '#/cursor'],
])('%s is refused', async (query, pointer) => {
  const response = await get('ada', query);
  expect(response.statusCode).toBe(422);
  expect(response.json()).toMatchObject({ code: 'VALIDATION_ERROR', errors: [{ pointer }] });
});

test('an id that no user has is refused', async () => {
  expect((await get('a'.repeat(129))).statusCode).toBe(422);
});

test('with keys, reading needs the scope for it', async () => {
  const keyOf = (name: string, scope: Scope): ApiKey => ({
    name,
    scopes: new Set([scope]),
    sha256: createHash('sha256').update(name).digest(),
  });
  const keys = [keyOf('reader', 'read'), keyOf('writer', 'produce')];
  const access = { keys, trustedNetwork: false, corsOrigins: [], requestsPerMinute: 60_000 };
  const guarded = await buildServer(apiOptions(fleet, { access }));
  const statusFor = async (key: string) => {
    const headers = { authorization: `Bearer ${key}` };
    return (await guarded.inject({ url: '/v1/predictions/ada', headers })).statusCode;
  };
  expect([await statusFor(''), await statusFor('writer'), await statusFor('reader')]).toEqual([
    401, 403, 200,
  ]);
  await guarded.close();
});

test('while MySQL is away: 503, without the id', async () => {
  await using away = openDatabase({ ...fleet.databaseSettings, port: 1 });
  const predictions = createPredictionReader(away.db);
  const other = await buildServer(apiOptions(fleet, { predictions }));
  const response = await other.inject('/v1/predictions/ada');
  expect(response.statusCode).toBe(503);
  expect(response.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(response.body).not.toContain('ada');
  await other.close();
});

test('the route is described, and its example and its answers are as described', async () => {
  const answer = z.strictObject({
    predictions: z.array(storedPredictionSchema.strict()).min(1),
    hit_rate: z.array(hitRateSchema.strict()).min(1),
    next_cursor: z.int().nullable(),
  });
  const described = z.object({
    paths: z.object({
      '/v1/predictions/{user_id}': z.object({
        get: z.object({
          parameters: z.array(z.object({ name: z.string() })),
          responses: z.object({
            200: z.object({ content: z.object({ 'application/json': z.object({ example: answer }) }) }),
          }),
        }),
      }),
    }),
  });
  const { paths } = described.parse((await server.inject('/openapi.json')).json());
  const { parameters } = paths['/v1/predictions/{user_id}'].get;
  expect(parameters.map(({ name }) => name)).toEqual(['limit', 'cursor', 'user_id']);
  expect(answer.safeParse((await get('ada')).json())).toMatchObject({ success: true });
});
