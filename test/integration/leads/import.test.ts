import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCommandRoom, type CommandRoom } from '../../support/open-command-room.ts';
import { openModelRoom, type ModelRoom } from '../../support/open-model-room.ts';
import { runPresage } from '../../support/run-presage.ts';
import { sampleLeads } from '../../support/sample-leads.ts';

let models: ModelRoom;
let room: CommandRoom;
beforeAll(async () => {
  models = await openModelRoom();
  await models.promote('1.0.0');
});
afterAll(() => models[Symbol.asyncDispose]());
beforeEach(async () => {
  room = await openCommandRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

async function run(content: string, ...flags: string[]) {
  const file = join(room.directory, 'leads.csv');
  await writeFile(file, content);
  return runPresage(['leads', 'import', file, ...flags], {
    ...models.environment,
    DATABASE_URL: room.databaseUrl,
  });
}

async function stored(): Promise<Record<string, unknown>> {
  const rows = await room.database.db.selectFrom('leads').selectAll().orderBy('lead_id').execute();
  return Object.fromEntries(rows.map(({ lead_id, features }) => [lead_id, JSON.parse(features)]));
}

async function wholeFile(): Promise<{ content: string; leads: Record<string, unknown> }> {
  const samples = await sampleLeads();
  const names = Object.keys(samples[0]?.features ?? {});
  const lines = samples.map(({ leadId, features }) =>
    [leadId, ...names.map((name) => features[name])].join(),
  );
  return {
    content: [['lead_id', ...names].join(), ...lines, ''].join('\n'),
    leads: Object.fromEntries(samples.map(({ leadId, features }) => [leadId, features])),
  };
}

test('leads are loaded with what is known of them, once, however often the file is given', async () => {
  const { content, leads } = await wholeFile();
  for (const _time of [1, 2]) {
    const { exitCode, output, messages } = await run(content, '--json');
    expect([exitCode, messages]).toEqual([0, '']);
    expect(JSON.parse(output)).toEqual({ lines: 24, accepted: 24, bad: 0, bad_lines: [] });
    expect(await stored()).toEqual(leads);
  }
});

test('more lines than one batch holds; of two about a lead the later one counts', async () => {
  const lines = Array.from({ length: 12_000 }, (_, index) => `lead-${index % 7_000},${index}`);
  const { exitCode, output } = await run(['lead_id,age', ...lines].join('\n'));
  expect(exitCode).toBe(0);
  expect(output).toBe('leads.csv: 12000 lines, 12000 imported, 0 bad\n');
  const leads = await stored();
  expect(Object.keys(leads)).toHaveLength(7_000);
  for (const index of [0, 4_999, 5_000, 6_999]) {
    expect(leads[`lead-${index}`]).toEqual({ age: index < 5_000 ? index + 7_000 : index });
  }
});

test('a lead is replaced as a whole', async () => {
  await run('lead_id,age,job\na,40,admin.\nb,41,student');
  await run('lead_id,job\na,retired\n');
  expect(await stored()).toEqual({ a: { job: 'retired' }, b: { age: 41, job: 'student' } });
});

test('what the model may not be able to use is kept as it came; empty fields are unknown', async () => {
  await run(
    [
      '\u{feff}euribor3m,lead_id,job,age',
      '1.25,a,unheard of,',
      '-1e-3,b,,NaN',
      '1e999,c,"x, ""y""",0x10',
      '"3,5",d,12,+5',
      '007,e,,-0.5',
    ].join('\r\n'),
  );
  expect(await stored()).toEqual({
    a: { euribor3m: 1.25, job: 'unheard of' },
    b: { euribor3m: -0.001, age: 'NaN' },
    c: { euribor3m: '1e999', job: 'x, "y"', age: '0x10' },
    d: { euribor3m: '3,5', job: '12', age: '+5' },
    e: { euribor3m: '007', age: -0.5 },
  });
});

test('bad lines are counted and named, and good ones kept', async () => {
  const bad = [',40', `${'x'.repeat(129)},40`, 'a', 'a,40,secret', '"a,40', 'a\u{0},40'];
  const { exitCode, output } = await run(['lead_id,age', ...bad, 'good,40'].join('\n'));
  expect(exitCode).toBe(0);
  expect(output).toMatch(/^leads\.csv: 7 lines, 1 imported, 6 bad$/m);
  expect(output).toMatch(/^ {2}line 2: lead_id: must be 1 to 128 characters.*\n {2}line 3: lead_id: /m);
  expect(output).toMatch(/^ {2}line 4: must have 2 fields.*\n {2}line 5: must have 2 fields/m);
  expect(output).toMatch(/^ {2}line 6: cannot be read as CSV\n {2}line 7: lead_id: /m);
  expect(output).not.toContain('secret');
  expect(await stored()).toEqual({ good: { age: 40 } });
});

test('unknown columns are told once and left out; what the file lacks of the model is told too', async () => {
  const { content } = await wholeFile();
  const [header = '', line = ''] = content.split('\n');
  const { messages, output } = await run(`${header},duration,y\n${line},999,yes\n`);
  expect(messages).toBe('Columns of leads.csv that mean nothing here are left out: "duration", "y".\n');
  expect(output).toBe('leads.csv: 1 lines, 1 imported, 0 bad\n');
  expect(JSON.stringify(await stored())).not.toContain('duration');
  const lacking = await run('lead_id,age,y\na,40,no\n');
  expect(lacking.exitCode).toBe(0);
  expect(lacking.messages).toMatch(
    /left out: "y"\.\nleads\.csv lacks columns of the model: "job", "marital",/,
  );
});

test.each([
  ['is empty', '', 'leads.csv is empty.'],
  ['has only its first line', 'lead_id,age', 'Nothing could be imported'],
  ['has no ids', 'id,age\na,40', 'has no column lead_id'],
  ['has nothing of the model', 'lead_id,y\na,no', "has none of the model's columns: age, job,"],
  ['has a column twice', 'lead_id,age,age\na,40,41', 'has the column age twice'],
  ['has bad lines only', 'lead_id,age\n,40', 'Nothing could be imported'],
])('a file that %s is a failure', async (_what, content, message) => {
  const { exitCode, messages } = await run(content);
  expect(exitCode).toBe(1);
  expect(messages).toContain(message);
});

test('without a model nobody knows its columns', async () => {
  await using empty = await openModelRoom();
  const file = join(room.directory, 'leads.csv');
  await writeFile(file, 'lead_id,age\na,40');
  const mysql = { DATABASE_URL: room.databaseUrl };
  const none = await runPresage(['leads', 'import', file], { ...empty.environment, ...mysql });
  expect([none.exitCode, none.messages]).toEqual([
    1,
    expect.stringContaining('No version of the model lead-conversion is promoted'),
  ]);
  const nowhere = await runPresage(['leads', 'import', file], mysql);
  expect([nowhere.exitCode, nowhere.messages]).toEqual([
    1,
    expect.stringContaining('Nothing says where the model registry is'),
  ]);
});
