import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import packageFile from '../../../package.json' with { type: 'json' };
import { openCommandRoom, type CommandRoom } from '../../support/open-command-room.ts';
import { mainFile } from '../../support/run-up.ts';

const callTime = 'call-time-prediction';

let room: CommandRoom;
beforeEach(async () => {
  room = await openCommandRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

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
  const run = await room.presage(argv);
  expect(run.exitCode).toBe(exitCode);
  expect(run.messages).toContain(message);
  expect(run.messages).not.toMatch(/\n\s+at /);
  expect(run.output).toBe('');
});

test('--version says which release it is', async () => {
  expect(await room.presage(['--version'])).toMatchObject({
    exitCode: 0,
    output: `${packageFile.version}\n`,
    messages: '',
  });
});

test('a bad environment: every problem by name, exit 1', async () => {
  const run = await room.presage(['jobs', 'list'], {
    environment: { REDIS_URL: 'nonsense', DB_HOST: 'x', DB_PORT: 'y' },
  });
  expect(run.exitCode).toBe(1);
  for (const name of ['REDIS_URL', 'DB_PORT']) expect(run.messages).toContain(name);
});

test('MySQL away: exit 1 and what is wrong', async () => {
  const run = await room.presage(['jobs', 'list'], {
    environment: {
      REDIS_URL: process.env['TEST_REDIS_URL'] ?? '',
      DATABASE_URL: 'mysql://u:p@127.0.0.1:1/x',
    },
  });
  expect(run).toMatchObject({ exitCode: 1, output: '' });
  expect(run.messages).toContain('MySQL does not answer');
});

test('a password that MySQL refuses: exit 1 and what is wrong', async () => {
  const url = new URL(room.databaseUrl);
  url.password = 'changed-since';
  const run = await room.presage(['jobs', 'list'], {
    environment: { REDIS_URL: process.env['TEST_REDIS_URL'] ?? '', DATABASE_URL: url.href },
  });
  expect(run).toMatchObject({ exitCode: 1, output: '' });
  expect(run.messages).toBe(
    'MySQL does not answer (ER_ACCESS_DENIED_ERROR). Is it running, and are its address and credentials right? ' +
      '`presage doctor` says more.\n',
  );
});

test.each([[['queues', 'list']], [['queues', 'pause', callTime]], [['jobs', 'list', '--state', 'running']]])(
  'Redis away: %j says so, exit 1',
  async (argv) => {
    const run = await room.presage(argv, {
      environment: { REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: room.databaseUrl },
    });
    expect(run).toMatchObject({ exitCode: 1, output: '' });
    expect(run.messages).toMatch(/^Redis does not answer\. Is it running, [^\n]+\n$/);
  },
);

test('whoever reads may stop reading: no fault', async () => {
  const child = spawn(process.execPath, [mainFile, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const messages = text(child.stderr);
  const [exitCode]: unknown[] = await once(child, 'close');
  expect(await messages).toBe('');
  expect(exitCode).toBe(0);
});

test.each([[['--help']], [['enqueue', '--help']], [['jobs', 'list', '--help']], [['up', '--help']]])(
  '%j explains itself',
  async (argv) => {
    const run = await room.presage(argv);
    expect(run.exitCode).toBe(0);
    expect(run.output).toContain('Usage: presage');
  },
);
