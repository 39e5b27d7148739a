import { Registry } from 'prom-client';
import { v7 as uuid } from 'uuid';
import { openRetention } from '../../../producers/relay/open-retention.ts';
import { openAiEvents } from '../../../shared/ai-events/open-ai-events.ts';
import type { AiEventsTable } from '../../../shared/database/ai-events-table.ts';
import { deleteOlder } from '../../../shared/database/delete-older.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { until } from '../../support/until.ts';

let testDatabase: TestDatabase;
let database: Database;
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase(testDatabase.settings);
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

const logLines: string[] = [];
const log = createLogger({ process: 'test', level: 'debug', write: (line) => logLines.push(line) });

const completed = (more: Partial<AiEventsTable> = {}): AiEventsTable => ({
  job_id: uuid(),
  request_id: 'request-1',
  model_id: 'lead-conversion',
  model_version: '1.0.0',
  model_sha256: 'a'.repeat(64),
  leads: 10,
  errors: 1,
  cache_hits: 4,
  cache_misses: 5,
  latency_ms: 12,
  feature_coverage: 0.75,
  error_code: null,
  created_at: new Date('2026-03-01T12:00:00.123Z'),
  ...more,
});

const failed = (more: Partial<AiEventsTable> = {}) =>
  completed({
    model_version: null,
    model_sha256: null,
    errors: 0,
    cache_hits: 0,
    cache_misses: 0,
    feature_coverage: null,
    error_code: 'MODEL_NOT_READY',
    ...more,
  });

/** Records the events one after the other, each in a statement of its own. */
async function recordEach(...events: AiEventsTable[]): Promise<void> {
  for (const event of events) {
    await using room = openAiEvents(database.db, log);
    room.record(event);
  }
}

const stored = () => database.db.selectFrom('ai_events').selectAll().orderBy('created_at').execute();

test('a request has one row: the run that completed, else the latest that failed', async () => {
  const job = { job_id: uuid() };
  const first = failed(job);
  await recordEach(first);
  expect(await stored()).toEqual([first]);
  const again = failed({ ...job, latency_ms: 99, error_code: 'STORE_UNAVAILABLE' });
  await recordEach(again);
  expect(await stored()).toEqual([again]);
  const done = completed({ ...job, latency_ms: 50, created_at: new Date('2026-03-02T00:00:00Z') });
  await recordEach(done);
  expect(await stored()).toEqual([done]);
  await recordEach(failed(job), completed({ ...job, latency_ms: 1, cache_hits: 0 }));
  expect(await stored()).toEqual([done]);
});

test('the same holds within one statement', async () => {
  const job = { job_id: uuid() };
  const done = completed(job);
  {
    await using room = openAiEvents(database.db, log);
    for (const event of [failed(job), done, failed(job), completed({ ...job, leads: 1 })]) room.record(event);
  }
  expect(await stored()).toEqual([done]);
});

test('many at once are written together, and all of them before it is closed', async () => {
  const statements: string[] = [];
  const watched = database.db.withPlugin({
    transformQuery({ node }) {
      statements.push(node.kind);
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  });
  {
    await using room = openAiEvents(watched, log);
    for (let count = 0; count < 1_200; count += 1) room.record(completed());
  }
  expect(await stored()).toHaveLength(1_200);
  expect(statements).toHaveLength(3);
});

test('what cannot be written is lost and logged; it never throws', async () => {
  await using away = openDatabase({ ...testDatabase.settings, port: 1 });
  const event = completed();
  {
    await using room = openAiEvents(away.db, log);
    room.record(event);
  }
  expect(logLines.filter((line) => line.includes(event.job_id))).toHaveLength(1);
  // One that does not fit costs none of those beside it.
  const [bad, good] = [completed({ model_id: 'x'.repeat(65) }), completed()];
  {
    await using room = openAiEvents(database.db, log);
    room.record(bad);
    room.record(good);
  }
  expect(await stored()).toEqual([good]);
});

test('the relay purges what is older than the ledger is kept', async () => {
  const dayMs = 86_400_000;
  const daysAgo = (days: number) => completed({ created_at: new Date(Date.now() - days * dayMs) });
  const young = daysAgo(6);
  await recordEach(young, daysAgo(8), daysAgo(9));
  const old = { before: new Date(Date.now() - 8.5 * dayMs), signal: new AbortController().signal };
  const options = { table: 'ai_events', column: 'created_at', pageSize: 1_000, ...old } as const;
  expect(await deleteOlder(database.db, options)).toBe(1);
  const registry = new Registry();
  const days = { ledgerRetentionDays: 7, activityRetentionDays: undefined };
  await using _retention = openRetention({ db: database.db, ...days, registry, log });
  await until(async () =>
    (await registry.metrics()).includes('presage_ledger_purged_total{table="ai_events"} 1'),
  );
  expect(await stored()).toEqual([young]);
});
