import { randomUUID } from 'node:crypto';
import { sql, type Insertable } from 'kysely';
import { Registry } from 'prom-client';
import { measureLeadQuality } from '../../../producers/relay/measure-lead-quality.ts';
import { readJudgedScores } from '../../../producers/relay/read-judged-scores.ts';
import type { LeadScoresTable } from '../../../shared/database/lead-scores-table.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import type { OutcomesTable } from '../../../shared/database/outcomes-table.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';

const log = createLogger({ process: 'test', level: 'silent' });
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const now = Date.UTC(2026, 5, 30, 12);
const daysAgo = (days: number) => new Date(now - days * dayMs);

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

interface Score extends Partial<LeadScoresTable> {
  lead_id: string;
  scored_at: Date;
}

async function plantScores(scores: readonly Score[]): Promise<void> {
  const rows = scores.map((score) => ({
    job_id: randomUUID(),
    position: 0,
    probability: 0.05,
    confidence: 0.95,
    feature_coverage: 1,
    degraded: 0,
    error_code: null,
    error_message: null,
    model_id: 'lead-conversion',
    model_version: '1.0.0',
    ...score,
  }));
  await database.db.insertInto('lead_scores').values(rows).execute();
}

async function plantOutcomes(
  outcomes: readonly (Partial<Insertable<OutcomesTable>> & { subject: string; occurred_at: Date })[],
): Promise<void> {
  const rows = outcomes.map((outcome) => ({
    event_id: randomUUID(),
    kind: 'lead_converted' as const,
    page_key: null,
    job_id: null,
    happened: 0,
    ...outcome,
  }));
  await database.db.insertInto('outcomes').values(rows).execute();
}

/** What one scrape tells, by metric and version. */
async function told(registry: Registry): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', version = '', value] =
        /^presage_lead_(\w+)\{model="lead-conversion",version="([^"]+)"\} (.+)$/.exec(line) ?? [];
      return [`${name} ${version}`, Number(value)];
    }),
  );
}

function scrape(): Promise<Record<string, number>> {
  const registry = new Registry();
  measureLeadQuality({ db: database.db, registry, log, now: () => now });
  return told(registry);
}

test('without outcomes there is no figure', async () => {
  await plantScores([{ lead_id: 'l1', scored_at: daysAgo(1) }]);
  expect(await scrape()).toEqual({});
});

test('each version by what became of the leads that it scored', async () => {
  const scored_at = daysAgo(5);
  await plantScores([
    { lead_id: 'right', probability: 0.5, scored_at },
    { lead_id: 'wrong', probability: 0.75, scored_at },
    { lead_id: 'missed', probability: 0.125, scored_at },
    { lead_id: 'rightly-not', probability: 0.25, scored_at },
    { lead_id: 'sure', probability: 1, scored_at, model_version: '2.0.0' },
    { lead_id: 'nothing-known', probability: 1, scored_at },
  ]);
  const occurred_at = daysAgo(1);
  await plantOutcomes([
    { subject: 'right', happened: 1, occurred_at },
    { subject: 'wrong', occurred_at },
    { subject: 'missed', happened: 1, occurred_at },
    { subject: 'rightly-not', occurred_at },
    { subject: 'sure', happened: 1, occurred_at },
    { subject: 'never-scored', happened: 1, occurred_at },
  ]);
  expect(await scrape()).toEqual({
    'outcomes 1.0.0': 4,
    'accuracy_ratio 1.0.0': 0.5,
    'precision_ratio 1.0.0': 0.5,
    'recall_ratio 1.0.0': 0.5,
    'calibration_error 1.0.0': (0.5 + 0.75 + 0.875 + 0.25) / 4,
    'outcomes 2.0.0': 1,
    'accuracy_ratio 2.0.0': 1,
    'precision_ratio 2.0.0': 1,
    'recall_ratio 2.0.0': 1,
    'calibration_error 2.0.0': 0,
  });
});

test('the latest score before the outcome is judged', async () => {
  await plantScores([
    { lead_id: 'l1', scored_at: daysAgo(40), probability: 0.9, model_version: '0.1.0' },
    { lead_id: 'l1', scored_at: daysAgo(9), probability: 0.9 },
    { lead_id: 'l1', scored_at: daysAgo(8), probability: null, error_code: 'FEATURE_REJECTED' },
    // As late as the outcome, and later: it may have been made of it.
    { lead_id: 'l1', scored_at: daysAgo(3), probability: 0.1 },
    { lead_id: 'l1', scored_at: daysAgo(1), probability: 0.1 },
    { lead_id: 'l2', scored_at: daysAgo(1), probability: 0.1 },
  ]);
  await plantOutcomes([
    { subject: 'l1', happened: 1, occurred_at: daysAgo(3) },
    { subject: 'l2', happened: 1, occurred_at: daysAgo(2) },
  ]);
  expect(await scrape()).toMatchObject({ 'outcomes 1.0.0': 1, 'recall_ratio 1.0.0': 1 });
  expect(await scrape()).not.toHaveProperty('outcomes 0.1.0');
});

test('where the outcome names the job, its score is judged', async () => {
  const job_id = randomUUID();
  await plantScores([
    { lead_id: 'l1', scored_at: daysAgo(9), probability: 0.9, job_id },
    { lead_id: 'l2', scored_at: daysAgo(9), probability: 0.9, job_id },
    { lead_id: 'l1', scored_at: daysAgo(5), probability: 0.1 },
  ]);
  await plantOutcomes([{ subject: 'l1', happened: 1, occurred_at: daysAgo(3), job_id }]);
  expect(await scrape()).toMatchObject({ 'outcomes 1.0.0': 1, 'recall_ratio 1.0.0': 1 });
});

test('of two outcomes for one score the later one counts; each of two scores has its own', async () => {
  await plantScores([
    { lead_id: 'l1', scored_at: daysAgo(20) },
    { lead_id: 'l2', scored_at: daysAgo(20) },
    { lead_id: 'l2', scored_at: daysAgo(8) },
  ]);
  await plantOutcomes([
    { subject: 'l1', happened: 1, occurred_at: daysAgo(2) },
    { subject: 'l1', occurred_at: daysAgo(9) },
    { subject: 'l2', occurred_at: daysAgo(9) },
    { subject: 'l2', happened: 1, occurred_at: daysAgo(2) },
  ]);
  expect(await scrape()).toMatchObject({ 'outcomes 1.0.0': 3, 'accuracy_ratio 1.0.0': 1 / 3 });
});

test('outcomes of more than 30 days ago and of other kinds say nothing', async () => {
  await plantScores([
    { lead_id: 'l1', scored_at: daysAgo(60) },
    { lead_id: 'l2', scored_at: daysAgo(60) },
    { lead_id: 'l3', scored_at: daysAgo(60) },
  ]);
  await plantOutcomes([
    { subject: 'l1', occurred_at: new Date(now - 30 * dayMs - 1) },
    { subject: 'l2', occurred_at: daysAgo(30) },
    { subject: 'l3', occurred_at: daysAgo(1), kind: 'churned' },
  ]);
  expect(await scrape()).toMatchObject({ 'outcomes 1.0.0': 1 });
});

test('of more outcomes than are looked at, the latest ones count', async () => {
  await plantScores(['l1', 'l2', 'l3'].map((lead_id) => ({ lead_id, scored_at: daysAgo(20) })));
  await plantOutcomes([
    { subject: 'l1', occurred_at: daysAgo(3), happened: 1 },
    { subject: 'l2', occurred_at: daysAgo(1) },
    { subject: 'l3', occurred_at: daysAgo(2) },
  ]);
  const judged = await readJudgedScores(database.db, { since: daysAgo(30), most: 2 });
  expect(judged).toMatchObject([{ tenth: 0, leads: 2, converted: 0, probabilitySum: 0.1 }]);
});

test('a figure is good for a minute', async () => {
  const registry = new Registry();
  let nowMs = now;
  measureLeadQuality({ db: database.db, registry, log, now: () => nowMs });
  await plantScores([{ lead_id: 'l1', scored_at: daysAgo(5) }]);
  await plantOutcomes([{ subject: 'l1', occurred_at: daysAgo(3) }]);
  expect(await told(registry)).toMatchObject({ 'accuracy_ratio 1.0.0': 1 });
  await plantOutcomes([{ subject: 'l1', occurred_at: daysAgo(2), happened: 1 }]);
  nowMs += minuteMs - 1;
  expect(await told(registry)).toMatchObject({ 'accuracy_ratio 1.0.0': 1 });
  nowMs += 1;
  expect(await told(registry)).toMatchObject({ 'accuracy_ratio 1.0.0': 0 });
});

test('when MySQL cannot be asked there is no figure at all, and none that was told before', async () => {
  await plantScores([{ lead_id: 'l1', scored_at: daysAgo(5) }]);
  await plantOutcomes([{ subject: 'l1', occurred_at: daysAgo(3) }]);
  const registry = new Registry();
  let nowMs = now;
  await using leaving = openDatabase(testDatabase.settings);
  measureLeadQuality({ db: leaving.db, registry, log, now: () => nowMs });
  expect(await told(registry)).toMatchObject({ 'outcomes 1.0.0': 1 });
  await leaving[Symbol.asyncDispose]();
  nowMs += minuteMs;
  expect(await told(registry)).toEqual({});
});

test('after a failure the next scrape asks again, within the minute too', async () => {
  await plantScores([{ lead_id: 'l1', scored_at: daysAgo(5) }]);
  await plantOutcomes([{ subject: 'l1', occurred_at: daysAgo(3) }]);
  const registry = new Registry();
  measureLeadQuality({ db: database.db, registry, log, now: () => now });
  await sql`rename table lead_scores to elsewhere`.execute(database.db);
  expect(await told(registry)).toEqual({});
  await sql`rename table elsewhere to lead_scores`.execute(database.db);
  expect(await told(registry)).toMatchObject({ 'outcomes 1.0.0': 1 });
});
