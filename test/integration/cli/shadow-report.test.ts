import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { v7 as uuid } from 'uuid';
import { leadModelId } from '../../../shared/contracts/lead-scoring.ts';
import type { LeadShadowScoresTable } from '../../../shared/database/lead-shadow-scores-table.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { registeredPrefix } from '../../../shared/models/registered-bundle.ts';
import { readComparedScores } from '../../../producers/cli/shadow-report/read-compared-scores.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { openModelRoom, type ModelRoom } from '../../support/open-model-room.ts';
import { runPresage, type CommandRun } from '../../support/run-presage.ts';

let models: ModelRoom;
let testDatabase: TestDatabase;
let database: Database;
beforeEach(async () => {
  models = await openModelRoom();
  testDatabase = await createTestDatabase();
  database = openDatabase(testDatabase.settings);
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
});

const report = (...argv: string[]): Promise<CommandRun> =>
  runPresage(['models', 'shadow-report', leadModelId, ...argv], {
    ...models.environment,
    DATABASE_URL: testDatabase.url,
  });

async function reported(...argv: string[]): Promise<unknown> {
  const { exitCode, output, messages } = await report(...argv, '--json');
  expect([exitCode, messages]).toEqual([0, '']);
  return JSON.parse(output) as unknown;
}

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

type Row = Partial<LeadShadowScoresTable> & { days?: number };

async function plant(rows: readonly Row[]): Promise<void> {
  const planted = rows.map(({ days = 5, ...row }) => ({
    job_id: uuid({ msecs: daysAgo(days).getTime() }),
    lead_id: randomUUID(),
    model_id: leadModelId,
    champion_version: '1.0.0',
    challenger_version: '2.0.0',
    champion_probability: 0.25,
    challenger_probability: 0.5,
    scored_at: daysAgo(days),
    ...row,
  }));
  await database.db.insertInto('lead_shadow_scores').values(planted).execute();
}

async function plantOutcomes(converted: Readonly<Record<string, number>>): Promise<void> {
  await database.db
    .insertInto('outcomes')
    .values(
      Object.entries(converted).map(([subject, happened]) => ({
        event_id: randomUUID(),
        kind: 'lead_converted' as const,
        subject,
        page_key: null,
        job_id: null,
        happened,
        occurred_at: daysAgo(1),
      })),
    )
    .execute();
}

test('what there is to say while there is nothing', async () => {
  await models.promote('1.0.0');
  expect(await report()).toEqual({
    exitCode: 0,
    output:
      'lead-conversion has no challenger, and none was compared in the last 30 days. ' +
      '`presage models shadow lead-conversion VERSION` names one.\n',
    messages: '',
  });
  await models.challenge('2.0.0', 1);
  await plant([{ challenger_version: '1.5.0' }, { days: 8 }]);
  const { output } = await report('--days', '7');
  expect(output).toMatch(
    /^No lead was scored by lead-conversion 2\.0\.0 beside the champion in the last 7 days\./,
  );
  expect(await reported('--days', '7')).toEqual({
    model_id: leadModelId,
    days: 7,
    champion: null,
    challenger: '2.0.0',
    is_challenger: true,
    problems: [],
    rows: null,
    differences: null,
    outcomes: null,
  });
});

test('how two versions differ, and how good each is for the leads of which the outcome is known', async () => {
  await models.promote('1.0.0');
  await models.challenge('2.0.0', 1);
  await plant([
    { lead_id: 'a', champion_probability: 0.125, challenger_probability: 0.25, days: 20 },
    { lead_id: 'b', champion_probability: 0.375, challenger_probability: 0.75 },
    { lead_id: 'c', champion_probability: 0.75, challenger_probability: 0.625 },
    { lead_id: 'd', champion_probability: 0.25, challenger_probability: 0.125 },
    { lead_id: 'e', champion_probability: null },
    { lead_id: 'f', challenger_probability: null },
    { lead_id: 'g', challenger_probability: null },
    { lead_id: 'h', champion_probability: null, challenger_probability: null },
    // Another champion's, another challenger's, another model's, and what is too old.
    { champion_version: '0.9.0', days: 25 },
    { challenger_version: '1.5.0', days: 1 },
    { model_id: 'another', days: 1 },
    { days: 31 },
  ]);
  // Of e it would be known for one version only.
  await plantOutcomes({ a: 0, b: 1, c: 0, e: 1, 'never-scored': 1 });
  expect(await reported()).toEqual({
    model_id: leadModelId,
    days: 30,
    champion: '1.0.0',
    challenger: '2.0.0',
    is_challenger: true,
    problems: [],
    rows: {
      compared: 8,
      scored_by_both: 4,
      rejected_by_champion_only: 1,
      rejected_by_challenger_only: 2,
      rejected_by_both: 1,
      beside_other_champions: 1,
      first_scored_at: expect.stringContaining(daysAgo(20).toISOString().slice(0, 10)),
      last_scored_at: expect.stringContaining(daysAgo(5).toISOString().slice(0, 10)),
      is_cut_short: false,
    },
    differences: {
      champion_mean: 0.375,
      challenger_mean: 0.4375,
      mean_absolute: 0.1875,
      p50_absolute: 0.125,
      p95_absolute: 0.375,
      largest_absolute: 0.375,
      sides_changed_share: 0.25,
      // The ranks are 1, 3, 4, 2 and 2, 4, 3, 1.
      rank_correlation: expect.closeTo(0.6, 12),
      psi: expect.any(Number),
    },
    outcomes: {
      leads: 3,
      base_rate: expect.closeTo(1 / 3, 12),
      champion: {
        auc: 0.5,
        accuracy: expect.closeTo(1 / 3, 12),
        brier: expect.closeTo((0.125 ** 2 + 0.625 ** 2 + 0.75 ** 2) / 3, 12),
        calibration_error: expect.closeTo((0.125 + 0.625 + 0.75) / 3, 12),
      },
      challenger: {
        auc: 1,
        accuracy: expect.closeTo(2 / 3, 12),
        brier: expect.closeTo((0.25 ** 2 + 0.25 ** 2 + 0.625 ** 2) / 3, 12),
        calibration_error: expect.closeTo((0.25 + 0.25 + 0.625) / 3, 12),
      },
    },
  });
  const { output } = await report();
  const [title, others, , header, rejected, both, mean] = output.split('\n');
  expect(title).toMatch(
    /^lead-conversion 2\.0\.0 beside 1\.0\.0: 8 leads in the last 30 days, scored from 20/,
  );
  expect(others).toBe('1 leads that other champions answered are left out.');
  expect([header, rejected, both, mean]).toEqual([
    '                      CHAMPION 1.0.0  CHALLENGER 2.0.0',
    'rejected by it alone  1               2',
    'rejected by both      1               1',
    'mean probability      0.3750          0.4375',
  ]);
  expect(output).toContain('\non the other side of 0.5    25.0 %\n');
  expect(output).toContain('\nOf 3 of these leads it is known whether they converted: 33.3 % did.\n\n');
  expect(output).toContain('\narea under the curve  0.5000          1.0000\n');
});

test('an outcome judges the latest answer before it, of the job that it names if it names one', async () => {
  await models.promote('1.0.0');
  await models.challenge('2.0.0', 1);
  await plant([
    { lead_id: 'a', challenger_probability: 0.125, days: 9 },
    { lead_id: 'a', challenger_probability: 1, days: 5 },
    // Later, by another challenger, and without an answer of one of them.
    { lead_id: 'a', challenger_probability: 0.125, days: 0 },
    { lead_id: 'a', challenger_probability: 0.125, challenger_version: '1.5.0', days: 3 },
    { lead_id: 'a', challenger_probability: null, days: 2 },
  ]);
  await plantOutcomes({ a: 1 });
  expect(await reported()).toMatchObject({
    outcomes: { leads: 1, champion: { brier: 0.75 ** 2, auc: null }, challenger: { brier: 0 } },
  });
});

test('a challenger that was switched off is still reported on, the last one', async () => {
  await models.promote('1.0.0');
  await plant([{ challenger_version: '1.5.0', days: 6 }, { days: 5 }]);
  expect(await reported()).toMatchObject({
    challenger: '2.0.0',
    is_challenger: false,
    rows: { compared: 1 },
    outcomes: null,
  });
  const { output } = await report();
  expect(output).toContain('2.0.0 is the challenger no more.\n');
  expect(output).toContain('Of none of these leads it is known whether they converted.\n');
});

test('where every lead was rejected by one of them there is no difference to tell', async () => {
  await models.promote('1.0.0');
  await plant([{ challenger_probability: null }]);
  expect(await reported()).toMatchObject({ rows: { compared: 1 }, differences: null, outcomes: null });
  expect((await report()).output).toContain('rejected by it alone  0               1\n');
});

test('a challenger that workers refuse is named, with the reason', async () => {
  await models.promote('1.0.0');
  await models.challenge('2.0.0', 1);
  const version = await models.stores.registry.find(leadModelId, '2.0.0');
  if (!version) throw new Error('the version was registered a moment ago');
  const folder = fileURLToPath(models.environment['ARTIFACTS_URL'] ?? '');
  await rm(path.join(folder, registeredPrefix(version), 'model.onnx'));
  expect((await report()).output).toMatch(
    /^Workers refuse lead-conversion 2\.0\.0:\n {2}model\.onnx: is missing\nNo lead was scored by /,
  );
  expect(await reported()).toMatchObject({ problems: [{ file: 'model.onnx', problem: 'is missing' }] });
});

test('what cannot be reported on', async () => {
  expect((await report()).messages).toContain('There is no model lead-conversion.');
  expect(await report('--days', '0')).toMatchObject({ exitCode: 2, output: '' });
});

test('rows are read page by page, each once; of too many the latest count', async () => {
  const jobs = Array.from({ length: 3 }, (_, job) => uuid({ msecs: daysAgo(3 - job).getTime() }));
  for (const job_id of jobs) {
    const rows = Array.from({ length: 4_000 }, (_, lead) => ({
      job_id,
      lead_id: `lead-${lead}`,
      champion_probability: lead / 4_000,
    }));
    await plant([...rows, ...rows.slice(0, 500).map((row) => ({ ...row, challenger_version: '1.5.0' }))]);
  }
  const wanted = { modelId: leadModelId, challenger: '2.0.0', since: daysAgo(30) };
  const all = await readComparedScores(database.db, wanted);
  expect(all).toMatchObject({ rows: 12_000, isCutShort: false });
  const expected = Array.from({ length: 12_000 }, (_, lead) => Math.floor(lead / 3) / 4_000);
  expect([...(all?.champion.toSorted() ?? [])]).toEqual(expected);
  expect(await readComparedScores(database.db, { ...wanted, most: 13_500 })).toMatchObject({
    rows: 12_000,
    isCutShort: false,
  });
  expect(await readComparedScores(database.db, { ...wanted, most: 9_000 })).toMatchObject({
    rows: 8_000,
    isCutShort: true,
  });
});
