import { Registry } from 'prom-client';
import { v7 as uuid } from 'uuid';
import { openRetention } from '../../../producers/relay/open-retention.ts';
import { purgeLeadScores } from '../../../producers/relay/purge-lead-scores.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
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

/** By lead: how many days ago its job was accepted, and it was scored. */
const young = { 'scored lately': [29, 29], 'waited for long': [40, 29], now: [0, 0] } as const;
/** More than a statement takes. */
const old = Array.from({ length: 1_201 }, (_, index) => `old-${index}`);

/** A job of each lead's own: with its score, and with what two challengers said. */
async function plant(): Promise<void> {
  const { db } = database;
  const leads = [
    ...old.map((lead_id) => ({ lead_id, accepted: 31, scored: 31 })),
    ...Object.entries(young).map(([lead_id, [accepted, scored]]) => ({ lead_id, accepted, scored })),
  ].map(({ lead_id, accepted, scored }) => ({
    job_id: uuid({ msecs: daysAgo(accepted).getTime() }),
    lead_id,
    model_id: 'lead-conversion',
    scored_at: daysAgo(scored),
  }));
  const score = { position: 0, probability: 0.25, confidence: 0.75, feature_coverage: 1, degraded: 0 };
  const rest = { model_version: '1.0.0', error_code: null, error_message: null };
  await db
    .insertInto('lead_scores')
    .values(leads.map((lead) => ({ ...lead, ...score, ...rest })))
    .execute();
  await db
    .insertInto('lead_shadow_scores')
    .values(
      ['2.0.0', '3.0.0'].flatMap((challenger_version) =>
        leads.map((lead) => ({
          ...lead,
          champion_version: '1.0.0',
          challenger_version,
          champion_probability: 0.25,
          challenger_probability: 0.5,
        })),
      ),
    )
    .execute();
}

async function left(table: 'lead_scores' | 'lead_shadow_scores'): Promise<string[]> {
  const rows = await database.db.selectFrom(table).select('lead_id').distinct().execute();
  return rows.map(({ lead_id }) => lead_id).sort();
}

/** Lets the relay's part run once; answers what it has counted. */
async function purge(ledgerRetentionDays: number | undefined): Promise<string> {
  // Something is purged in any case, so that it is seen when all is done.
  await database.db
    .insertInto('page_cache')
    .values({ user_id: 'u1', page_key: 'old', content: '{}', expires_at: daysAgo(2) })
    .execute();
  const registry = new Registry();
  const lines: string[] = [];
  const log = createLogger({ process: 'test', level: 'info', write: (line) => lines.push(line) });
  const days = { ledgerRetentionDays, activityRetentionDays: undefined };
  await using _retention = openRetention({ db: database.db, ...days, registry, log });
  await until(() => lines.length > 0);
  return await registry.metrics();
}

test('scores of leads go with the jobs that they belong to, and so does what challengers said', async () => {
  const metrics = await purge(30);
  for (const table of ['lead_scores', 'lead_shadow_scores'] as const) {
    expect(await left(table)).toEqual(Object.keys(young).sort());
  }
  expect(metrics).toContain('presage_ledger_purged_total{table="lead_scores"} 1201');
  expect(metrics).toContain('presage_ledger_purged_total{table="lead_shadow_scores"} 2402');
});

test('where jobs are kept for ever, their scores are too', async () => {
  await purge(undefined);
  expect(await left('lead_scores')).toHaveLength(old.length + 3);
  expect(await left('lead_shadow_scores')).toHaveLength(old.length + 3);
});

test('two relays at once delete each score once', async () => {
  const { signal } = new AbortController();
  const purgeOnce = () => purgeLeadScores(database.db, 'lead_scores', { scoredBefore: daysAgo(30), signal });
  const [one, other] = await Promise.all([purgeOnce(), purgeOnce()]);
  expect(one + other).toBe(old.length);
  expect(await purgeOnce()).toBe(0);
});
