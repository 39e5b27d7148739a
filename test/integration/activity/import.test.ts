import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCommandRoom, type CommandRoom } from '../../support/open-command-room.ts';
import { runPresage } from '../../support/run-presage.ts';

let room: CommandRoom;
beforeEach(async () => {
  room = await openCommandRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

async function run(content: string, ...flags: string[]) {
  const path = join(room.directory, 'events.csv');
  await writeFile(path, content);
  return runPresage(['activity', 'import', path, ...flags], { DATABASE_URL: room.databaseUrl });
}

const rows = () => room.database.db.selectFrom('activity_log').selectAll().orderBy('occurred_at').execute();

const header = 'user_id,activity_type,occurred_at';

test('a file is loaded once, however often it is given; equal lines all count', async () => {
  const line = 'u,login,2026-01-15T09:00:00Z';
  const lines = Array.from({ length: 12_000 }, (_, index) => `user_${index % 100},report,${atSecond(index)}`);
  const content = [header, line, ...lines, line, line, ''].join('\n');
  const first = await run(content, '--json');
  expect(first).toMatchObject({ exitCode: 0, messages: '' });
  expect(JSON.parse(first.output)).toEqual({
    lines: 12_003,
    accepted: 12_003,
    duplicates: 0,
    bad: 0,
    bad_lines: [],
  });
  const second = await run(content, '--json');
  expect(second.exitCode).toBe(0);
  expect(JSON.parse(second.output)).toMatchObject({ accepted: 0, duplicates: 12_003 });
  // One more of the equal lines is one more event.
  const third = await run(`${content}${line}\n`, '--json');
  expect(JSON.parse(third.output)).toMatchObject({ accepted: 1, duplicates: 12_003 });
  expect(await rows()).toHaveLength(12_004);
});

const atSecond = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString();

test('lines that say the same in other words are the same events', async () => {
  await run(`${header},timezone\nu,login,2026-01-15 09:00,America/New_York\n`);
  const again = await run(
    `\u{feff}timezone,occurred_at,activity_type,user_id\r\nAmerica/New_York,2026-01-15T14:00:00Z,login,"u"\r\n`,
    '--json',
  );
  expect(JSON.parse(again.output)).toMatchObject({ accepted: 0, duplicates: 1 });
});

test('times without an offset are local to the timezone of their line, else UTC', async () => {
  const { exitCode } = await run(
    `${header},timezone,event_id\nu,a,2026-01-15 09:00:00,America/New_York,e1\nu,b,2026-01-16 09:00:00,,e2\nu,c,2026-01-17T09:00:00+02:00,Europe/Berlin,e3\n`,
  );
  expect(exitCode).toBe(0);
  expect(await rows()).toMatchObject([
    { event_id: 'e1', occurred_at: new Date('2026-01-15T14:00:00Z'), timezone: 'America/New_York' },
    { event_id: 'e2', occurred_at: new Date('2026-01-16T09:00:00Z'), timezone: null },
    { event_id: 'e3', occurred_at: new Date('2026-01-17T07:00:00Z'), timezone: 'Europe/Berlin' },
  ]);
});

test('bad lines are counted and named, and good ones kept', async () => {
  const bad = [
    ',login,2026-01-15T09:00:00Z,',
    'u,login,yesterday,',
    'u,login,2026-01-15T09:00:00Z,Mars/Olympus',
    'u,login,2999-01-15T09:00:00Z,',
    '"u,login,2026-01-15T09:00:00Z,',
    'u,login,2026-01-15T09:00:00Z,,secret',
    ...Array.from({ length: 20 }, () => 'secret'),
  ];
  const good = Array.from({ length: 30 }, (_, index) => `u,login,${atSecond(index)}`);
  const content = [`${header},timezone`, ...bad, ...good].join('\n');
  const { exitCode, output } = await run(content);
  expect(exitCode).toBe(0);
  expect(output).toMatch(/^events\.csv: 56 lines, 30 imported, 0 known already, 26 bad$/m);
  expect(output).toMatch(/^ {2}line 2: user_id: .+\n {2}line 3: occurred_at: .+\n {2}line 4: timezone: /m);
  expect(output).toMatch(/^ {2}line 6: cannot be read as CSV\n {2}line 7: must have 4 fields/m);
  expect(output).toMatch(/^ {2}and 6 more bad lines$/m);
  expect(output).not.toContain('secret');
  const json = JSON.parse((await run(content, '--json')).output) as { bad_lines: unknown[] };
  expect(json).toMatchObject({ bad: 26, duplicates: 30 });
  expect(json.bad_lines).toHaveLength(20);
  expect(await rows()).toHaveLength(30);
});

test('unknown columns are told once and left out', async () => {
  const { exitCode, messages } = await run(
    `${header},note,device\nu,a,2026-01-15T09:00:00Z,"x\ny",z\nu,b,2026-01-15T09:00:00Z,,\n`,
  );
  expect(exitCode).toBe(0);
  expect(messages).toBe('Columns of events.csv that mean nothing here are left out: "note", "device".\n');
  expect(await rows()).toHaveLength(2);
});

test.each([
  ['is empty', '', 'events.csv is empty.'],
  ['has only its first line', header, 'Nothing could be imported'],
  ['lacks a column', 'user_id,occurred_at\nu,2026-01-15T09:00:00Z', 'has no column activity_type'],
  ['has a column twice', `${header},user_id\n`, 'has the column user_id twice'],
  ['has bad lines only', `${header}\nu,a,b`, 'Nothing could be imported'],
])('a file that %s is a failure', async (_what, content, message) => {
  const { exitCode, messages } = await run(content);
  expect(exitCode).toBe(1);
  expect(messages).toContain(message);
});

test('a file that cannot be read is a failure, and one that is not named wrong usage', async () => {
  const environment = { DATABASE_URL: room.databaseUrl };
  for (const path of [join(room.directory, 'none.csv'), room.directory]) {
    expect(await runPresage(['activity', 'import', path], environment)).toMatchObject({ exitCode: 1 });
  }
  expect(await runPresage(['activity', 'import'], environment)).toMatchObject({ exitCode: 2 });
});

test('an outage is told with what to do', async () => {
  const path = join(room.directory, 'events.csv');
  await writeFile(path, `${header}\nu,a,2026-01-15T09:00:00Z\n`);
  const failed = await runPresage(['activity', 'import', path], {
    DATABASE_URL: 'mysql://u:p@127.0.0.1:1/none',
  });
  expect(failed.exitCode).toBe(1);
  expect(failed.messages).toContain('Run it again');
});
