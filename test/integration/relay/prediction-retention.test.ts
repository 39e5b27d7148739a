import { Registry } from 'prom-client';
import { openRetention } from '../../../producers/relay/open-retention.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { insertPredictions } from '../../support/insert-predictions.ts';
import { until } from '../../support/until.ts';

let testDatabase: TestDatabase;
let database: Database;
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase(testDatabase.settings);
  await plant();
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

/** More than one statement takes of what is old, and some of what is not. */
async function plant(): Promise<void> {
  const { db } = database;
  const old = Array.from({ length: 501 }, (_, index) => `old-${index}`);
  const pages = [
    ...old.map((page_key) => ({ page_key, expires_at: daysAgo(1.1) })),
    { page_key: 'expired lately', expires_at: daysAgo(0.9) },
    { page_key: 'fresh', expires_at: daysAgo(-1) },
  ];
  await db
    .insertInto('page_cache')
    .values(pages.map((page) => ({ ...page, user_id: 'u1', content: '{}' })))
    .execute();
  await insertPredictions(
    db,
    [91, 91, 89, 0].map((days) => ({
      page_key: `ended ${days} days ago`,
      status: days === 91 ? ('completed' as const) : ('pending' as const),
      window_end: daysAgo(days),
    })),
  );
  const looks = [...old.map((user_id) => ({ user_id, days: 91 })), { user_id: 'looked at lately', days: 89 }];
  await db
    .insertInto('activity_looks')
    .values(
      looks.map(({ user_id, days }) => ({
        user_id,
        looked_to_id: 7,
        job_id: '0199b7a0-0000-7000-8000-000000000001',
        looked_at: daysAgo(days),
      })),
    )
    .execute();
}

async function left() {
  const { db } = database;
  const pages = await db.selectFrom('page_cache').select('page_key').orderBy('page_key').execute();
  const predictions = await db.selectFrom('generation_queue').select('page_key').orderBy('id').execute();
  const looks = await db.selectFrom('activity_looks').select('user_id').execute();
  return {
    pages: pages.map((row) => row.page_key),
    predictions: predictions.map((row) => row.page_key),
    looks: looks.map((row) => row.user_id),
  };
}

/** Lets the relay's part run once; answers what it has counted. */
async function purge(activityRetentionDays: number | undefined): Promise<string> {
  const registry = new Registry();
  const lines: string[] = [];
  const log = createLogger({ process: 'test', level: 'info', write: (line) => lines.push(line) });
  const options = { db: database.db, ledgerRetentionDays: 30, activityRetentionDays, registry, log };
  await using _retention = openRetention(options);
  await until(() => lines.length > 0);
  expect(lines[0]).toContain('"page_cache":501');
  return await registry.metrics();
}

test('pages go a day after they expired; predictions and looks with what they were made of', async () => {
  const metrics = await purge(90);
  expect(await left()).toEqual({
    pages: ['expired lately', 'fresh'],
    predictions: ['ended 89 days ago', 'ended 0 days ago'],
    looks: ['looked at lately'],
  });
  for (const counted of ['page_cache"} 501', 'generation_queue"} 2', 'activity_looks"} 501']) {
    expect(metrics).toContain(`presage_ledger_purged_total{table="${counted}`);
  }
});

test('where what users did is kept for ever, predictions and looks are too', async () => {
  const before = await left();
  await purge(undefined);
  expect(await left()).toEqual({ ...before, pages: ['expired lately', 'fresh'] });
});
