import { sql, type Kysely } from 'kysely';
import { v7 as uuid } from 'uuid';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import type { JobRowState } from '../../../shared/database/jobs-table.ts';
import type { Tables } from '../../../shared/database/tables.ts';
import { childProgress } from '../../../shared/ledger/fan-out.ts';
import { lastTick } from '../../../shared/ledger/last-tick.ts';
import { countOpen, createReadJobs } from '../../../shared/ledger/read-jobs.ts';
import { jobsToCheck, oldestDueJobs, openJobsAfter } from '../../../shared/ledger/relay-queries.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';

// What a statement costs is counted by the server: rows that it read. So nothing here depends on how fast a machine is.

const settled = 2_000;
const parentId = '018f0000-0000-7000-8000-000000000000';
const startMs = Date.parse('2026-01-01T00:00:00Z');
const kind = (name: string) => JSON.stringify({ kind: name, code: 'X', message: 'm' });

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  // The server counts for each connection.
  database = openDatabase({ ...testDatabase.settings, poolSize: 1 });
  let second = 0;
  const row = (queue: string, state: JobRowState, more: { error?: string; parent_id?: string } = {}) => {
    second += 1;
    const at = new Date(startMs + second * 1_000);
    const open = state === 'accepted';
    return {
      id: uuid({ msecs: at.getTime() }),
      queue,
      state,
      payload: '{}',
      priority: 0,
      created_at: at,
      due_at: at,
      check_at: open ? at : null,
      finished_at: open ? null : at,
      error: more.error ?? null,
      parent_id: more.parent_id ?? null,
    };
  };
  await database.db
    .insertInto('jobs')
    .values([
      row('one', 'failed', { error: kind('permanent') }),
      row('one', 'accepted'),
      row('two', 'accepted', { parent_id: parentId }),
      ...Array.from({ length: settled }, (_, index) => row(index % 2 === 0 ? 'one' : 'two', 'completed')),
      row('two', 'failed', { error: kind('transient') }),
    ])
    .execute();
  await sql`analyze table jobs`.execute(database.db);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

async function rowsRead(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ Value: string }>`show session status like 'Handler_read%'`.execute(db);
  return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
}

const now = new Date(startMs + 86_400_000);
const list = (db: Kysely<Tables>, filter: Parameters<ReturnType<typeof createReadJobs>['list']>[0]) =>
  createReadJobs(db).list(filter);

test.each<[string, (db: Kysely<Tables>) => Promise<unknown>, unknown]>([
  [
    'when the oldest job of each queue became due',
    async (db) => [...(await oldestDueJobs(db, ['one', 'two', 'none'], now)).keys()].sort(),
    ['one', 'two'],
  ],
  ['the jobs that the relay looks at', async (db) => (await jobsToCheck(db, now, 500)).length, 2],
  ["a queue's open jobs", async (db) => (await openJobsAfter(db, 'one', '', 500)).length, 1],
  ['how many are open', (db) => countOpen(db, 'one', 10_000), 1],
  ["a parent's children", (db) => childProgress(db, parentId), { done: 0, total: 1 }],
  ["a schedule's newest tick", (db) => lastTick(db, 'pattern-sweep'), undefined],
  [
    'failed jobs',
    async (db) => (await list(db, { states: ['failed'], limit: 50 })).map(({ queue }) => queue),
    ['two', 'one'],
  ],
  [
    'failed jobs of a rare kind',
    async (db) => (await list(db, { states: ['failed'], errorKind: 'permanent', limit: 50 })).length,
    1,
  ],
  [
    'failed jobs that are old',
    async (db) =>
      (await list(db, { states: ['failed'], finishedBefore: new Date(startMs + 60_000), limit: 50 })).length,
    1,
  ],
  [
    'failed jobs that are young',
    async (db) =>
      (await list(db, { states: ['failed'], since: new Date(startMs + settled * 1_000), limit: 50 })).length,
    1,
  ],
])('%s: found without reading what is settled', async (_what, read, expected) => {
  const before = await rowsRead(database.db);
  expect(await read(database.db)).toEqual(expected);
  expect((await rowsRead(database.db)) - before).toBeLessThan(settled / 4);
});
