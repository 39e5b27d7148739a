import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { runCommand } from '../../../producers/cli/main.ts';
import { migrationNames } from '../../../shared/database/migrate.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { openLedger } from '../../../shared/ledger/open-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';

const contacts = [{ id: 'contact_123', phoneNumber: '+972501234567' }];
const callTime = 'call-time-prediction';

let database: TestDatabase;
let directory: string;
beforeEach(async () => {
  database = await createTestDatabase();
  directory = mkdtempSync(join(tmpdir(), 'presage-cli-'));
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await database[Symbol.asyncDispose]();
});

async function presage(
  argv: string[],
  options: { input?: string; environment?: Record<string, string> } = {},
) {
  const output = new PassThrough();
  const messages = new PassThrough();
  const environment = options.environment ?? {
    REDIS_URL: process.env['TEST_REDIS_URL'],
    DATABASE_URL: database.url,
  };
  const exitCode = await runCommand(
    argv,
    {
      environment,
      stackEnvironment: environment,
      workingDirectory: directory,
      input: Readable.from([options.input ?? '']),
      output,
      messages,
    },
    { runWorkers: () => Promise.resolve(0), runBenchmarks: () => Promise.resolve(0) },
  );
  output.end();
  messages.end();
  return { exitCode, output: await text(output), messages: await text(messages) };
}

function idFrom(output: string): string {
  const { job_id } = JSON.parse(output) as { job_id: string };
  return job_id;
}

test('enqueue, list, show and cancel', async () => {
  const enqueued = await presage([
    'enqueue',
    callTime,
    '--json',
    JSON.stringify({ contacts }),
    '--delay',
    '60000',
  ]);
  expect(enqueued).toMatchObject({ exitCode: 0, messages: '' });
  const id = idFrom(enqueued.output);

  const listed = await presage([
    'jobs',
    'list',
    '--json',
    '--queue',
    callTime,
    '--state',
    'accepted',
    '--since',
    '1h',
  ]);
  expect(JSON.parse(listed.output)).toMatchObject({ jobs: [{ job_id: id, state: 'accepted' }] });
  const found = await presage(['jobs', 'list', '--search', 'contact_123']);
  expect(found.output).toContain(id);
  const notFound = await presage(['jobs', 'list', '--search', 'contact%']);
  expect(notFound.output).not.toContain(id);

  const shown = await presage(['jobs', 'show', id]);
  expect(JSON.parse(shown.output)).toMatchObject({ job_id: id, payload: { contacts } });

  expect(await presage(['jobs', 'cancel', id])).toMatchObject({ exitCode: 0 });
  const again = await presage(['jobs', 'cancel', id]);
  expect(again).toMatchObject({ exitCode: 1, output: '' });
  expect(again.messages).toContain('cancelled already');
  const watched = await presage(['jobs', 'watch', id]);
  expect(watched.exitCode).toBe(1);
  expect(JSON.parse(watched.output)).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
});

test('the payload may come from a JSON file, a CSV file or standard input', async () => {
  writeFileSync(join(directory, 'a.json'), JSON.stringify({ contacts }));
  writeFileSync(join(directory, 'a.csv'), 'id,phoneNumber,name\ncontact_123,+972501234567,John\n');
  const delayed = ['--delay', '60000'];
  const ids = [
    await presage(['enqueue', callTime, '--file', 'a.json', ...delayed]),
    await presage(['enqueue', callTime, '--file', 'a.csv', ...delayed]),
    await presage(['enqueue', callTime, '-', ...delayed], { input: JSON.stringify({ contacts }) }),
    await presage(['enqueue', callTime, '-', ...delayed], {
      input: 'id,phoneNumber\ncontact_123,+972501234567\n',
    }),
  ].map(({ output }) => idFrom(output));
  for (const id of ids) {
    const shown = await presage(['jobs', 'show', id]);
    expect(JSON.parse(shown.output)).toMatchObject({ payload: { contacts: [{ id: 'contact_123' }] } });
    await presage(['jobs', 'cancel', id]);
  }
});

test('waiting in vain fails with the id and what to do, and the job goes on', async () => {
  const waited = await presage(['enqueue', callTime, '--json', JSON.stringify({ contacts }), '--wait=300']);
  expect(waited).toMatchObject({ exitCode: 1, output: '' });
  const id = /presage jobs watch (\S+)/.exec(waited.messages)?.[1] ?? '';
  const shown = await presage(['jobs', 'show', id]);
  expect(JSON.parse(shown.output)).toMatchObject({ state: 'accepted' });
  await presage(['jobs', 'cancel', id]);
});

test.each([
  ['an unknown queue', ['enqueue', 'nonsense', '--json', '{}'], 2, 'The queues are: call-time-prediction'],
  ['a missing file', ['enqueue', callTime, '--file', 'none.json'], 2, 'none.json cannot be read'],
  ['no payload', ['enqueue', callTime], 2, '--file F, --json J, or -'],
  ['two payloads', ['enqueue', callTime, '--json', '{}', '-'], 2, 'payload once'],
  ['not JSON', ['enqueue', callTime, '--json', '{'], 1, '--json is not JSON'],
  ['the wrong type', ['enqueue', callTime, '--json', '{"contacts":5}'], 1, 'contacts: '],
  ['an unknown command', ['predict'], 2, '--help'],
  ['an unknown option', ['jobs', 'list', '--everything'], 2, '--everything'],
  ['an unknown state', ['jobs', 'list', '--state', 'asleep'], 2, 'the states are'],
  ['an unreadable time', ['jobs', 'list', '--since', 'yesterday'], 2, 'such as 10m'],
  ['an unknown job', ['jobs', 'show', 'nonsense'], 1, 'There is no job nonsense'],
  ['an unknown worker', ['worker', 'nonsense'], 2, 'There is no queue nonsense'],
  ['a wrong number', ['enqueue', callTime, '--priority', '-1'], 2, 'whole number'],
])('%s', async (_what, argv, exitCode, message) => {
  const run = await presage(argv);
  expect(run.exitCode).toBe(exitCode);
  expect(run.messages).toContain(message);
  expect(run.messages).not.toMatch(/\n\s+at /);
  expect(run.output).toBe('');
});

test('a bad environment: every problem by name, exit 1', async () => {
  const run = await presage(['jobs', 'list'], {
    environment: { REDIS_URL: 'nonsense', DB_HOST: 'x', DB_PORT: 'y' },
  });
  expect(run.exitCode).toBe(1);
  for (const name of ['REDIS_URL', 'DB_PORT']) expect(run.messages).toContain(name);
});

test('MySQL away: exit 1 and what is wrong', async () => {
  const run = await presage(['jobs', 'list'], {
    environment: {
      REDIS_URL: process.env['TEST_REDIS_URL'] ?? '',
      DATABASE_URL: 'mysql://u:p@127.0.0.1:1/x',
    },
  });
  expect(run).toMatchObject({ exitCode: 1, output: '' });
  expect(run.messages).toContain('MySQL does not answer');
});

test.each([[['--help']], [['enqueue', '--help']], [['jobs', 'list', '--help']], [['up', '--help']]])(
  '%j explains itself',
  async (argv) => {
    const run = await presage(argv);
    expect(run.exitCode).toBe(0);
    expect(run.output).toContain('Usage: presage');
  },
);

describe('migrate', () => {
  let empty: TestDatabase;
  beforeEach(async () => {
    empty = await createTestDatabase({ migrate: false });
  });
  afterEach(() => empty[Symbol.asyncDispose]());
  const migrate = (...argv: string[]) =>
    presage(['migrate', ...argv], { environment: { DATABASE_URL: empty.url } });

  test('up is idempotent, safe when several start at once, and can be taken back', async () => {
    const runs = await Promise.all([migrate('up'), migrate('up'), migrate('up')]);
    expect(runs.map((run) => run.exitCode)).toEqual([0, 0, 0]);
    expect((await migrate('up')).output).toBe('nothing to do\n');
    const status = await migrate('status', '--json');
    expect(status.output).not.toContain('"executed_at": null');
    expect((await migrate('down', '--json')).output).toContain(String(migrationNames.at(-1)));
    expect((await migrate('status')).output).toContain(`${migrationNames.at(-1)}  pending`);
  });

  test('refuses, by name, a table that it did not make and that does not fit', async () => {
    await using db = openDatabase(empty.settings);
    await sql`create table jobs (id int primary key, title text)`.execute(db.db);
    const run = await migrate('up');
    expect(run.exitCode).toBe(1);
    expect(run.messages).toMatch(/The table jobs exists already.*lacks the columns queue/);
    const { rows } = await sql`select * from jobs`.execute(db.db);
    expect(rows).toEqual([]);
  });
});

describe('dead letters', () => {
  const failure = (kind: 'transient' | 'permanent') => ({
    kind,
    code: 'TEST',
    message: 'failed for the test',
  });

  async function fail(kinds: readonly ('transient' | 'permanent')[]): Promise<string[]> {
    await using db = openDatabase(database.settings);
    await using ledger = openLedger(db.db, 'test');
    const payload = JSON.stringify({ contacts });
    return await Promise.all(
      kinds.map((kind) => ledger.recordStray({ queue: callTime, payload, failure: failure(kind) })),
    );
  }

  test('are listed, shown and discarded', async () => {
    const [transient = '', permanent = ''] = await fail(['transient', 'permanent']);
    const listed = await presage(['failed', 'list', '--json', '--kind', 'permanent']);
    expect(JSON.parse(listed.output)).toMatchObject({
      failed: [{ job_id: permanent, error: failure('permanent') }],
    });
    expect((await presage(['failed', 'list'])).output).toContain(transient);
    expect(JSON.parse((await presage(['failed', 'list', '--json', '--older-than', '10m'])).output)).toEqual({
      failed: [],
    });
    expect(JSON.parse((await presage(['failed', 'show', transient])).output)).toMatchObject({
      payload: { contacts },
    });
    expect(JSON.parse((await presage(['failed', 'discard', transient])).output)).toEqual({ discarded: 1 });
    expect((await presage(['failed', 'show', transient])).exitCode).toBe(1);
    expect(JSON.parse((await presage(['jobs', 'show', transient])).output)).toMatchObject({
      state: 'cancelled',
    });
  });

  test('are never retried all at once by accident', async () => {
    await fail(['transient']);
    for (const what of ['retry', 'discard']) {
      const run = await presage(['failed', what]);
      expect(run.exitCode).toBe(2);
      expect(run.messages).toContain('--all');
    }
  });

  test('1,000 of them are redriven by kind and age at the set rate, each once', async () => {
    const kinds = Array.from({ length: 1_002 }, (_, index) => (index < 1_000 ? 'transient' : 'permanent'));
    const ids = await fail(kinds);
    await using db = openDatabase(database.settings);
    await db.db
      .updateTable('jobs')
      .set({ finished_at: new Date(Date.now() - 11 * 60_000) })
      .execute();
    const [young = ''] = await fail(['transient']);

    const retry = ['failed', 'retry', '--kind', 'transient', '--older-than', '10m', '--rate', '500'];
    const startedAt = Date.now();
    // Two operators at once: still each job once.
    const [one, two] = await Promise.all([presage(retry), presage(retry)]);
    const seconds = (Date.now() - startedAt) / 1_000;
    const retried = [one, two].map((run) => (JSON.parse(run.output) as { retried: number }).retried);
    expect(Number(retried[0]) + Number(retried[1])).toBe(1_000);
    expect(seconds).toBeGreaterThanOrEqual(1);
    const rows = await db.db.selectFrom('jobs').select(['id', 'generation', 'state']).execute();
    const generations = new Map(rows.map((row) => [row.id, row.generation]));
    expect(ids.slice(0, 1_000).every((id) => generations.get(id) === 2)).toBe(true);
    expect([...ids.slice(1_000), young].every((id) => generations.get(id) === 1)).toBe(true);
    const queued = await presage(['queues', 'list', '--json']);
    expect(JSON.parse(queued.output)).toMatchObject({
      queues: expect.arrayContaining([expect.objectContaining({ queue: callTime, paused: false })]),
    });
    await db.db.updateTable('jobs').set({ state: 'cancelled' }).execute();
  }, 60_000);
});

test('a queue is paused and resumed', async () => {
  const paused = async () => {
    const { queues } = JSON.parse((await presage(['queues', '--json'])).output) as {
      queues: { paused: boolean }[];
    };
    return queues[0]?.paused;
  };
  expect(await presage(['queues', 'pause', callTime])).toMatchObject({ exitCode: 0 });
  expect(await paused()).toBe(true);
  expect(await presage(['queues', 'resume', callTime])).toMatchObject({ exitCode: 0 });
  expect(await paused()).toBe(false);
  expect((await presage(['queues', 'pause', 'nonsense'])).exitCode).toBe(2);
});

test('schedules list: what is due again and again, last and next', async () => {
  await using db = openDatabase(database.settings);
  await using ledger = openLedger(db.db, 'test');
  const tick = { queue: 'pattern-detection', payload: '{}', priority: 0 };
  await ledger.accept({ ...tick, uniqueKey: 'pattern-sweep@2026-03-01T10:05:00.000Z' });
  const list = (cron: string, ...flags: string[]) =>
    presage(['schedules', 'list', ...flags], {
      environment: { DATABASE_URL: database.url, PATTERN_SWEEP_CRON: cron },
    });
  expect(JSON.parse((await list('30 4 1 1 *', '--json')).output)).toEqual({
    schedules: [
      {
        schedule: 'pattern-sweep',
        cron: '30 4 1 1 *',
        timezone: 'UTC',
        queue: 'pattern-detection',
        last_tick: '2026-03-01T10:05:00.000Z',
        next_tick: expect.stringMatching(/^\d{4}-01-01T04:30:00\.000Z$/),
      },
    ],
  });
  expect((await list('*/5 * * * *')).output).toMatch(
    /pattern-sweep +\*\/5 \* \* \* \* +UTC +pattern-detection/,
  );
  const bad = await presage(['schedules'], {
    environment: { DB_HOST: 'x', DB_PORT: 'y', PATTERN_SWEEP_CRON: 'at noon' },
  });
  expect(bad.exitCode).toBe(1);
  expect(bad.messages).toContain('PATTERN_SWEEP_CRON: must be a cron pattern');
  expect(bad.messages).toContain('DB_PORT');
});

test('an idempotency key makes one job of two commands', async () => {
  const enqueue = (id: string) =>
    presage([
      'enqueue',
      callTime,
      '--idempotency-key',
      'nightly-1',
      '--delay',
      '60000',
      '--json',
      JSON.stringify({ contacts: [{ id, phoneNumber: '+972501234567' }] }),
    ]);
  const first = await enqueue('a');
  expect((await enqueue('a')).output).toBe(first.output);
  expect(await enqueue('b')).toMatchObject({ exitCode: 1, output: '' });
  await presage(['jobs', 'cancel', idFrom(first.output)]);
});

test('a full queue takes nothing in', async () => {
  const environment = {
    REDIS_URL: process.env['TEST_REDIS_URL'] ?? '',
    DATABASE_URL: database.url,
    QUEUE_MAX_DEPTH: '1',
  };
  const enqueue = ['enqueue', callTime, '--delay', '60000', '--json', JSON.stringify({ contacts })];
  const first = await presage(enqueue, { environment });
  const second = await presage(enqueue, { environment });
  expect(second).toMatchObject({ exitCode: 1, output: '' });
  expect(second.messages).toContain('QUEUE_MAX_DEPTH');
  await presage(['jobs', 'cancel', idFrom(first.output)]);
});
