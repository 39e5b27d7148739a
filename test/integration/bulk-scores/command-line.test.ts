import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCommand } from '../../../producers/cli/main.ts';
import { leadScoring } from '../../../shared/contracts/lead-scoring.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import type { JobRecord } from '../../../shared/ledger/job-record.ts';
import { openLedger, type Ledger } from '../../../shared/ledger/open-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';

let testDatabase: TestDatabase;
let database: Database;
let ledger: Ledger;
let directory: string;
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase(testDatabase.settings);
  ledger = openLedger(database.db, 'test');
  directory = mkdtempSync(join(tmpdir(), 'presage-bulk-'));
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await ledger[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

/** Puts leads into the queue from a file. */
async function enqueue(lines: readonly string[], ...flags: string[]) {
  writeFileSync(join(directory, 'leads.csv'), `${lines.join('\n')}\n`);
  const [output, messages] = [new PassThrough(), new PassThrough()];
  const environment = { REDIS_URL: process.env['TEST_REDIS_URL'], DATABASE_URL: testDatabase.url };
  const exitCode = await runCommand(
    ['enqueue', leadScoring.name, '--file', 'leads.csv', ...flags],
    {
      environment,
      stackEnvironment: environment,
      workingDirectory: directory,
      input: Readable.from(['']),
      output,
      messages,
    },
    { runWorkers: () => Promise.resolve(0), runBenchmarks: () => Promise.resolve(0) },
  );
  output.end();
  messages.end();
  return { exitCode, output: await text(output), messages: await text(messages) };
}

const ids = Array.from({ length: 4_100 }, (_, index) => `lead-${index}`);
const jobs = (): Promise<JobRecord[]> => ledger.list({ limit: 10 });

test('a CSV of more than 2,000 leads becomes one bulk; with a key, however often it is sent', async () => {
  const lines = ['lead_id,age', ...ids.map((id) => `${id},40`)];
  const flags = ['--idempotency-key', 'monday', '--priority', '20'];
  const first = await enqueue(lines, ...flags);
  expect(first).toMatchObject({ exitCode: 0, messages: '' });
  expect((await enqueue(lines, ...flags)).output).toBe(first.output);
  const accepted = (await jobs()).toReversed();
  expect(accepted.map(({ payload, priority, phase }) => ({ payload, priority, phase }))).toEqual([
    { payload: { total: 4_100, chunks: 3 }, priority: 20, phase: 'children' },
    ...[0, 2_000, 4_000].map((start) => ({
      payload: { lead_ids: ids.slice(start, start + 2_000), first_position: start },
      priority: 20,
      phase: 'start',
    })),
  ]);
  expect(JSON.parse(first.output)).toEqual({
    job_id: accepted[0]?.id,
    queue: leadScoring.name,
    state: 'accepted',
  });
  const other = await enqueue(lines.slice(0, -1), ...flags);
  expect(other).toMatchObject({ exitCode: 1, output: '' });
  expect(other.messages).toContain('used with another payload');
});

test('2,000 leads are one batch', async () => {
  expect(await enqueue(ids.slice(0, 2_000))).toMatchObject({ exitCode: 0 });
  expect(await jobs()).toMatchObject([{ payload: { lead_ids: ids.slice(0, 2_000) }, phase: 'start' }]);
});
