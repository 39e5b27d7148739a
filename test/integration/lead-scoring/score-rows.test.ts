import fc from 'fast-check';
import { v7 as uuid } from 'uuid';
import type { LeadScoresTable } from '../../../shared/database/lead-scores-table.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { createScoreRows } from '../../../workers/lead-scoring/score-rows.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase(testDatabase.settings);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

const scoredAt = new Date('2026-11-21T10:11:12.345Z');

function rowOf(jobId: string, changes: Partial<LeadScoresTable> = {}): LeadScoresTable {
  return {
    job_id: jobId,
    lead_id: 'lead',
    position: 0,
    probability: 0.1,
    confidence: 0.2,
    feature_coverage: 1,
    degraded: 0,
    error_code: null,
    error_message: null,
    model_id: 'lead-conversion',
    model_version: '1.0.0',
    scored_at: scoredAt,
    ...changes,
  };
}

function failedRow(jobId: string, changes: Partial<LeadScoresTable>): LeadScoresTable {
  const none = { probability: null, confidence: null, feature_coverage: null };
  return rowOf(jobId, { ...none, error_code: 'FEATURE_REJECTED', ...changes });
}

test('every number is stored to its last bit, and every other value as it is', async () => {
  const rows = createScoreRows(database.db);
  const share = fc.double({ min: 0, max: 1, noNaN: true, noDefaultInfinity: true });
  const leadId = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  const facts = fc.record({ probability: share, confidence: share, feature_coverage: share });
  const batch = fc.uniqueArray(fc.tuple(leadId, facts), { minLength: 1, selector: ([id]) => id });
  await fc.assert(
    fc.asyncProperty(batch, async (leads) => {
      const jobId = uuid();
      const given = leads.map(([lead_id, numbers], position) =>
        rowOf(jobId, { lead_id: `${lead_id}-`, position, degraded: position % 2, ...numbers }),
      );
      expect(await rows.record(jobId, given)).toEqual(given);
      expect(await rows.load(jobId)).toEqual(given);
    }),
    { examples: [[[['tiny', { probability: 5e-324, confidence: 1 / 3, feature_coverage: 1 - 2 ** -53 }]]]] },
  );
});

test('an error is stored with its message, whatever a column is called', async () => {
  const rows = createScoreRows(database.db);
  const jobId = uuid();
  const message = `no usable value of "a'b\\c" (missing), 🎉`;
  const given = [
    failedRow(jobId, { lead_id: 'a', error_message: message }),
    failedRow(jobId, { lead_id: 'b', position: 1, error_message: `${message}\u{d800}` }),
    rowOf(jobId, { lead_id: 'c', position: 2 }),
  ];
  await rows.record(jobId, given);
  expect((await rows.load(jobId)).map((row) => [row.error_code, row.error_message])).toEqual([
    ['FEATURE_REJECTED', message],
    ['FEATURE_REJECTED', `${message}\u{fffd}`],
    [null, null],
  ]);
});

test('the run that was first counts: a later one changes nothing, and is told what is stored', async () => {
  const rows = createScoreRows(database.db);
  const jobId = uuid();
  const first = [rowOf(jobId, { lead_id: 'b' }), rowOf(jobId, { lead_id: 'a', position: 1 })];
  const second = first.map((row) => ({ ...row, probability: 0.9, model_version: '2.0.0' }));
  expect(await rows.record(jobId, first)).toEqual(first);
  expect(await rows.record(jobId, second)).toEqual(first);
  expect(await rows.load(jobId)).toEqual(first);
});

test('a batch without a lead has no rows', async () => {
  const rows = createScoreRows(database.db);
  expect(await rows.record(uuid(), [])).toEqual([]);
});
