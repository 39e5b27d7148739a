import { Registry } from 'prom-client';
import { v7 as uuid } from 'uuid';
import { openRetention } from '../../../producers/relay/open-retention.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { insertLlmCalls } from '../../support/insert-llm-calls.ts';
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

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

async function insertJob(acceptedDaysAgo: number, finishedDaysAgo?: number): Promise<string> {
  const createdAt = daysAgo(acceptedDaysAgo);
  const id = uuid({ msecs: createdAt.getTime() });
  await database.db
    .insertInto('jobs')
    .values({
      id,
      queue: 'churn-insight',
      payload: '{}',
      priority: 0,
      created_at: createdAt,
      due_at: createdAt,
      check_at: null,
      ...(finishedDaysAgo === undefined
        ? {}
        : { state: 'completed', result: '{}', finished_at: daysAgo(finishedDaysAgo) }),
    })
    .execute();
  return id;
}

test('what models answered goes with its job; what it cost stays countable for 400 days', async () => {
  const [old, young, open] = [await insertJob(45, 40), await insertJob(45, 10), await insertJob(45)];
  const startedAt = daysAgo(45);
  await insertLlmCalls(database.db, [
    { job_id: old, started_at: startedAt },
    { job_id: old, ask: 2, started_at: startedAt },
    { job_id: young, started_at: startedAt },
    { job_id: open, started_at: startedAt },
    // Of jobs that were purged long ago.
    { answer: null, started_at: daysAgo(399) },
    ...Array.from({ length: 600 }, () => ({ answer: null, started_at: daysAgo(401) })),
  ]);
  const registry = new Registry();
  const log = createLogger({ process: 'test', level: 'silent' });
  await using _retention = openRetention({
    db: database.db,
    ledgerRetentionDays: 30,
    activityRetentionDays: undefined,
    registry,
    log,
  });
  await until(async () =>
    (await registry.metrics()).includes('presage_ledger_purged_total{table="llm_calls"} 600'),
  );

  const rows = await database.db
    .selectFrom('llm_calls')
    .select(['job_id', 'answer', 'cost_usd'])
    .orderBy('started_at')
    .execute();
  expect(rows).toHaveLength(5);
  const answers = new Map(rows.map(({ job_id: jobId, answer }) => [jobId, answer]));
  expect(answers.get(old)).toBeNull();
  expect(answers.get(young)).not.toBeNull();
  expect(answers.get(open)).not.toBeNull();
  expect(rows.every(({ cost_usd: cost }) => Number(cost) > 0)).toBe(true);
});
