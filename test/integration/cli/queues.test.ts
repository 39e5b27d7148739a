import { openLedger } from '../../../shared/ledger/open-ledger.ts';
import { openCommandRoom, type CommandRoom } from '../../support/open-command-room.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';

const callTime = 'call-time-prediction';

let servers: PrivateServers;
let redisUrl: string;
let room: CommandRoom;
beforeAll(async () => {
  servers = await openPrivateServers();
  // Its own: other tests' queues are not to be paused.
  redisUrl = (await servers.startRedis()).url;
});
afterAll(() => servers[Symbol.asyncDispose]());
beforeEach(async () => {
  room = await openCommandRoom(redisUrl);
});
afterEach(() => room[Symbol.asyncDispose]());

test('a queue is paused and resumed', async () => {
  const paused = async () => {
    const { queues } = JSON.parse((await room.presage(['queues', '--json'])).output) as {
      queues: { paused: boolean }[];
    };
    return queues[0]?.paused;
  };
  expect(await room.presage(['queues', 'pause', callTime])).toMatchObject({ exitCode: 0 });
  expect(await paused()).toBe(true);
  expect(await room.presage(['queues', 'resume', callTime])).toMatchObject({ exitCode: 0 });
  expect(await paused()).toBe(false);
  expect((await room.presage(['queues', 'pause', 'nonsense'])).exitCode).toBe(2);
});

test('without Redis it says so, and where to look', async () => {
  const refused = await room.presage(['queues'], {
    environment: { REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: room.databaseUrl },
  });
  expect(refused).toMatchObject({ exitCode: 1, output: '' });
  expect(refused.messages).toMatch(/^Redis does not answer\. .*`presage doctor` says more\.\n$/);
});

test('schedules list: what is due again and again, last and next', async () => {
  await using ledger = openLedger(room.database.db, 'test');
  const tick = { queue: 'pattern-detection', payload: '{}', priority: 0 };
  await ledger.accept({ ...tick, uniqueKey: 'pattern-sweep@2026-03-01T10:05:00.000Z' });
  const list = (cron: string, ...flags: string[]) =>
    room.presage(['schedules', 'list', ...flags], {
      environment: { DATABASE_URL: room.databaseUrl, PATTERN_SWEEP_CRON: cron },
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
  const bad = await room.presage(['schedules'], {
    environment: { DB_HOST: 'x', DB_PORT: 'y', PATTERN_SWEEP_CRON: 'at noon' },
  });
  expect(bad.exitCode).toBe(1);
  expect(bad.messages).toContain('PATTERN_SWEEP_CRON: must be a cron pattern');
  expect(bad.messages).toContain('DB_PORT');
});
