import type { ChildDefinition } from '../../../shared/embedded/child-definition.ts';
import { untilReadyMessage } from '../../../shared/embedded/ready-message.ts';
import { supervise } from '../../../shared/embedded/supervise.ts';
import { processIdentity } from '../../../shared/process/process-identity.ts';
import { openServerRoom, type ServerRoom } from '../../support/open-server-room.ts';
import { busyMachineMs, until } from '../../support/until.ts';

let room: ServerRoom;
beforeEach(async () => {
  room = await openServerRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

const quick = { firstDelayMs: 5, longestDelayMs: 20, soundAfterMs: 60_000 };

/** A child that runs a few lines of JavaScript. */
function script(source: string, changes: Partial<ChildDefinition> = {}): ChildDefinition {
  return {
    name: 'child',
    role: 'process',
    program: process.execPath,
    arguments: ['--eval', source],
    environment: {},
    ipc: true,
    waitUntilReady: untilReadyMessage,
    readyTimeoutMs: busyMachineMs,
    stopTimeoutMs: busyMachineMs,
    ...changes,
  };
}

const stays = `process.send({ kind: 'ready', healthUrl: 'http://127.0.0.1:1' }); setInterval(() => {}, 1000);`;

test('answers what the child reports, and starts it again when it ends by itself', async () => {
  let readyCount = 0;
  const onReady = () => void readyCount++;
  await using child = supervise(script(stays), { ...room, policy: quick, onReady });
  await child.start();
  expect(child.ready).toEqual({ kind: 'ready', healthUrl: 'http://127.0.0.1:1' });

  const first = child.pid ?? 0;
  process.kill(first, 'SIGKILL');
  await until(() => readyCount === 2);
  expect(child.pid).not.toBe(first);
  expect(room.log.filter(({ delay_ms }) => delay_ms !== undefined)).toEqual([
    {
      msg: 'a child ended: starting it again',
      child: 'child',
      reason: 'it was ended by SIGKILL',
      delay_ms: 5,
    },
  ]);
});

test('waits longer before each restart, up to the longest delay', async () => {
  const readyAtOnce = { ipc: false, waitUntilReady: () => Promise.resolve() };
  await using child = supervise(script('process.exit(3)', readyAtOnce), { ...room, policy: quick });
  await child.start();
  const delays = () => room.log.flatMap(({ delay_ms }) => delay_ms ?? []);
  await until(() => delays().length >= 5);
  expect(delays().slice(0, 5)).toEqual([5, 10, 20, 20, 20]);
});

test('begins with the shortest delay anew after a child that had worked for a while', async () => {
  const readyAtOnce = { ipc: false, waitUntilReady: () => Promise.resolve() };
  const policy = { ...quick, soundAfterMs: 0 };
  await using child = supervise(script('process.exit(0)', readyAtOnce), { ...room, policy });
  await child.start();
  const delays = () => room.log.flatMap(({ delay_ms }) => delay_ms ?? []);
  await until(() => delays().length >= 3);
  expect(delays().slice(0, 3)).toEqual([5, 5, 5]);
});

test('gives up on a child that was never ready, and says why', async () => {
  const logFile = `${room.directory}/child.log`;
  const broken = script(`console.error('no such setting'); process.exit(1);`, { logFile });
  await using child = supervise(broken, { ...room, policy: { ...quick, firstStarts: 3 } });
  await expect(child.start()).rejects.toThrow(
    /^child cannot be started: it ended with exit code 1\.\nThe end of .*:\n(no such setting\n?){3}$/,
  );
  expect(room.log.flatMap(({ delay_ms }) => delay_ms ?? [])).toEqual([5, 10]);
});

test('a program that does not exist', async () => {
  const missing = script('', { program: '/nowhere/server' });
  await using child = supervise(missing, { ...room, policy: { ...quick, firstStarts: 1 } });
  await expect(child.start()).rejects.toThrow('it could not be run (spawn /nowhere/server ENOENT)');
});

test('a child that is not ready in time is killed and counts as failed', async () => {
  const hangs = script('setInterval(() => {}, 1000)', { readyTimeoutMs: 100 });
  await using child = supervise(hangs, { ...room, policy: { ...quick, firstStarts: 1 } });
  await expect(child.start()).rejects.toThrow('it was not ready within 0.1 s');
  expect(child.pid).toBeUndefined();
});

test('stop ends the child for good, start brings it back', async () => {
  await using child = supervise(script(stays), { ...room, policy: quick });
  await child.start();
  const first = child.pid ?? 0;
  await child.stop();
  expect(processIdentity(first)).toBeUndefined();
  expect(child.pid).toBeUndefined();
  await child.start();
  expect(processIdentity(child.pid ?? 0)).toBeDefined();
});

test('a child that does not stop in time is killed', async () => {
  const deaf = script(`process.on('SIGTERM', () => {}); ${stays}`, { stopTimeoutMs: 50 });
  await using child = supervise(deaf, { ...room, policy: quick });
  await child.start();
  const pid = child.pid ?? 0;
  await child.stop();
  expect(processIdentity(pid)).toBeUndefined();
  expect(room.log).toContainEqual({ msg: 'a child did not stop in time: killing it', child: 'child' });
});

test('stop during a start makes the start fail', async () => {
  await using child = supervise(script('setInterval(() => {}, 1000)'), { ...room, policy: quick });
  const started = child.start();
  await Promise.all([expect(started).rejects.toThrow('it was stopped'), child.stop()]);
});
