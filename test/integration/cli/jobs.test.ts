import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCommandRoom, type CommandRoom } from '../../support/open-command-room.ts';

const contacts = [{ id: 'contact_123', phoneNumber: '+972501234567' }];
const callTime = 'call-time-prediction';

let room: CommandRoom;
beforeEach(async () => {
  room = await openCommandRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

function idFrom(output: string): string {
  const { job_id } = JSON.parse(output) as { job_id: string };
  return job_id;
}

test('enqueue, list, show and cancel', async () => {
  const enqueued = await room.presage([
    'enqueue',
    callTime,
    '--json',
    JSON.stringify({ contacts }),
    '--delay',
    '60000',
  ]);
  expect(enqueued).toMatchObject({ exitCode: 0, messages: '' });
  const id = idFrom(enqueued.output);

  const listed = await room.presage([
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
  const found = await room.presage(['jobs', 'list', '--search', 'contact_123']);
  expect(found.output).toContain(id);
  const byId = await room.presage(['jobs', 'list', '--search', id, '--since', '1h', '--state', 'accepted']);
  expect(byId.output).toContain(id);
  const notFound = await room.presage(['jobs', 'list', '--search', 'contact%']);
  expect(notFound.output).not.toContain(id);

  const shown = await room.presage(['jobs', 'show', id]);
  expect(JSON.parse(shown.output)).toMatchObject({ job_id: id, payload: { contacts } });

  expect(await room.presage(['jobs', 'cancel', id])).toMatchObject({ exitCode: 0 });
  const again = await room.presage(['jobs', 'cancel', id]);
  expect(again).toMatchObject({ exitCode: 1, output: '' });
  expect(again.messages).toContain('cancelled already');
  const watched = await room.presage(['jobs', 'watch', id]);
  expect(watched.exitCode).toBe(1);
  expect(JSON.parse(watched.output)).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
});

test.each(['show', 'cancel', 'watch'])(
  'jobs %s of an id that can be none says that there is no such job',
  async (verb) => {
    expect(await room.presage(['jobs', verb, 'caf\u00e9'])).toEqual({
      exitCode: 1,
      output: '',
      messages: expect.stringContaining('caf\u00e9'),
    });
  },
);

test('the payload may come from a JSON file, a CSV file or standard input', async () => {
  await writeFile(join(room.directory, 'a.json'), JSON.stringify({ contacts }));
  await writeFile(join(room.directory, 'a.csv'), 'id,phoneNumber,name\ncontact_123,+972501234567,John\n');
  const delayed = ['--delay', '60000'];
  const ids = [
    await room.presage(['enqueue', callTime, '--file', 'a.json', ...delayed]),
    await room.presage(['enqueue', callTime, '--file', 'a.csv', ...delayed]),
    await room.presage(['enqueue', callTime, '-', ...delayed], { input: JSON.stringify({ contacts }) }),
    await room.presage(['enqueue', callTime, '-', ...delayed], {
      input: 'id,phoneNumber\ncontact_123,+972501234567\n',
    }),
  ].map(({ output }) => idFrom(output));
  for (const id of ids) {
    const shown = await room.presage(['jobs', 'show', id]);
    expect(JSON.parse(shown.output)).toMatchObject({ payload: { contacts: [{ id: 'contact_123' }] } });
    await room.presage(['jobs', 'cancel', id]);
  }
});

test('waiting in vain fails with the id and what to do, and the job goes on', async () => {
  const waited = await room.presage([
    'enqueue',
    callTime,
    '--json',
    JSON.stringify({ contacts }),
    '--wait=300',
  ]);
  expect(waited).toMatchObject({ exitCode: 1, output: '' });
  const id = /presage jobs watch (\S+)/.exec(waited.messages)?.[1] ?? '';
  const shown = await room.presage(['jobs', 'show', id]);
  expect(JSON.parse(shown.output)).toMatchObject({ state: 'accepted' });
  await room.presage(['jobs', 'cancel', id]);
});

test('an idempotency key makes one job of two commands', async () => {
  const enqueue = (id: string) =>
    room.presage([
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
  await room.presage(['jobs', 'cancel', idFrom(first.output)]);
});

test('a full queue takes nothing in', async () => {
  const environment = {
    REDIS_URL: process.env['TEST_REDIS_URL'] ?? '',
    DATABASE_URL: room.databaseUrl,
    QUEUE_MAX_DEPTH: '1',
  };
  const enqueue = ['enqueue', callTime, '--delay', '60000', '--json', JSON.stringify({ contacts })];
  const first = await room.presage(enqueue, { environment });
  const second = await room.presage(enqueue, { environment });
  expect(second).toMatchObject({ exitCode: 1, output: '' });
  expect(second.messages).toContain('QUEUE_MAX_DEPTH');
  await room.presage(['jobs', 'cancel', idFrom(first.output)]);
});
