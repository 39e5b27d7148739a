import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { checkReadiness } from '../../../producers/api/check-readiness.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import type { Insight } from '../../../shared/contracts/churn-insight.ts';
import { microsecondsLater } from '../../../shared/dynamodb/insight-item.ts';
import type { InsightTable } from '../../../shared/dynamodb/insight-table.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import { apiOptions } from '../../support/api-options.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import {
  acceptedAt,
  insightOf,
  openTestInsightTable,
  type TestInsightTable,
} from '../../support/open-test-insight-table.ts';

const expiresAt = Math.floor(Date.now() / 1_000) + 3_600;

let opened: TestInsightTable;
let insightTable: InsightTable;
let emulator: EmbeddedServer;
let fleet: TestFleet;
let server: HttpServer;
beforeAll(async () => {
  opened = await openTestInsightTable();
  ({ emulator, table: insightTable } = opened);
  fleet = await openTestFleet([callTimePrediction]);
  server = await buildServer(
    apiOptions(fleet, { insightTable, checkReadiness: () => checkReadiness({ ...fleet, insightTable }) }),
  );
});
afterAll(async () => {
  await server.close();
  await fleet[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
});

const get = (entityId: string, query = '') =>
  server.inject(`/v1/insights/${encodeURIComponent(entityId)}${query}`);

interface Page {
  insights: Insight[];
  next_cursor: string | null;
}

/** Stores so many insights of an entity, a second apart; answers them newest first. */
async function store(entityId: string, count: number): Promise<Insight[]> {
  const insights = Array.from({ length: count }, (_, index) =>
    insightOf(entityId, { timestamp: microsecondsLater(acceptedAt, index * 1_000_000), risk_score: index }),
  );
  await Promise.all(insights.map((insight) => insightTable.keep(insight, expiresAt)));
  return insights.toReversed();
}

test('newest first, 20 a page, every insight once', async () => {
  const insights = await store('chemistry', 45);
  const pages: Page[] = [];
  let query = '';
  for (;;) {
    const response = await get('chemistry', query);
    expect(response.statusCode).toBe(200);
    const page = response.json<Page>();
    pages.push(page);
    if (page.next_cursor === null) break;
    query = `?cursor=${encodeURIComponent(page.next_cursor)}`;
  }
  expect(pages.map((page) => page.insights.length)).toEqual([20, 20, 5]);
  expect(pages.flatMap((page) => page.insights)).toEqual(insights);
  expect((await get('chemistry', '?limit=100')).json()).toEqual({ insights, next_cursor: null });
  expect((await get('chemistry', '?limit=1')).json()).toMatchObject({ insights: [insights[0]] });
});

test('an entity that nobody knows has none', async () => {
  const response = await get('nobody');
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({ insights: [], next_cursor: null });
});

test.each<[string, string]>([
  ['slashes', 'school/7/../stu_1'],
  ['percent signs', '100%25 %2F'],
  ['what URLs give a meaning', '?a=b&c#d;e+f'],
  ['the table’s own separator', 'insight#stu_1'],
  ['256 characters of three bytes', '학'.repeat(256)],
  ['characters of four bytes', '\u{1f600}'.repeat(128)],
  ['quotes and a line break', '"\'`\n\\'],
])('an entity id with %s', async (_what, entityId) => {
  const insights = await store(entityId, 1);
  const response = await get(entityId);
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({ insights, next_cursor: null });
});

test.each([
  ['?cursor=yesterday', '#/cursor'],
  ['?cursor=', '#/cursor'],
  ['?cursor=2026-01-01T12:00:00.000Z', '#/cursor'],
  ['?limit=0', '#/limit'],
  ['?limit=101', '#/limit'],
  ['?limit=1.5', '#/limit'],
  ['?limit=many', '#/limit'],
])('%s is refused', async (query, pointer) => {
  const response = await get('chemistry', query);
  expect(response.statusCode).toBe(422);
  expect(response.json()).toMatchObject({ code: 'VALIDATION_ERROR', errors: [{ pointer }] });
});

test.each([
  [`/v1/insights/${'a'.repeat(257)}`, 422, 'VALIDATION_ERROR'],
  [`/v1/insights/${'a'.repeat(3_000)}`, 404, 'NOT_FOUND'],
  ['/v1/insights/%ff', 404, 'NOT_FOUND'],
  ['/v1/insights/', 422, 'VALIDATION_ERROR'],
])('an id that no entity has is refused: %s', async (url, status, code) => {
  const response = await server.inject(url);
  expect(response.statusCode).toBe(status);
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect(response.json()).toMatchObject({ code });
});

describe('while DynamoDB is away', () => {
  beforeAll(() => emulator.stop());
  afterAll(() => emulator.start());

  test('reading is answered with 503 and when to try again', async () => {
    const response = await get('chemistry');
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toMatch(/^\d+$/);
    expect(response.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(response.body).not.toContain('chemistry');
  });

  test('the API is ready, and says what it lacks', async () => {
    const response = await server.inject('/health/ready');
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({
      status: 'degraded',
      checks: { mysql: 'ok', redis: 'ok', dynamodb: 'degraded' },
    });
  });
});

test('once it is back, everything is', async () => {
  expect((await get('chemistry')).json<Page>().insights).toHaveLength(20);
  expect((await server.inject('/health/ready')).json()).toMatchObject({ status: 'ok' });
});

test('where nothing is configured, nobody is asked for DynamoDB', async () => {
  const checks = await checkReadiness({ ...fleet, insightTable: undefined });
  expect(checks).toEqual({ mysql: 'ok', redis: 'ok' });
});
