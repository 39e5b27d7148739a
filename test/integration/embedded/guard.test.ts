import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { processIdentity } from '../../../shared/process/process-identity.ts';
import { until } from '../../support/until.ts';

const fixture = path.join(import.meta.dirname, '../../fixtures/guarded-parent.ts');
const pidsSchema = z.object({ guard: z.int(), server: z.int(), worker: z.int() });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'presage-test-'));
  await mkdir(path.join(folder, 'data'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Starts the parent as the leader of a process group, as a shell does with a foreground command. */
async function startParent(manner: 'obedient' | 'deaf' | 'orderly') {
  const parent = spawn(process.execPath, [fixture, folder, manner], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = z.tuple([z.string()]).parse(await once(parent.stdout.setEncoding('utf8'), 'data'));
  return { parent, group: parent.pid ?? 0, pids: pidsSchema.parse(JSON.parse(line)) };
}

const allEnded = (pids: Record<string, number>) =>
  Object.values(pids).every((pid) => processIdentity(pid) === undefined);

test('when the whole foreground group is killed, everything ends, workers before servers, and the data goes', async () => {
  const { group, pids } = await startParent('obedient');
  expect(allEnded({ server: pids.server, worker: pids.worker })).toBe(false);
  process.kill(-group, 'SIGKILL');
  await until(() => allEnded(pids));
  expect(await readFile(path.join(folder, 'ends'), 'utf8')).toBe('worker\nserver\n');
  expect(existsSync(path.join(folder, 'data'))).toBe(false);
});

test('in a hurry, what does not listen is killed', async () => {
  const { group, pids } = await startParent('deaf');
  process.kill(-group, 'SIGKILL');
  // Left to themselves, the deaf would have 23 s: see guard-process.ts.
  await until(() => allEnded(pids), { withinMs: 20_000 });
  expect(existsSync(path.join(folder, 'ends'))).toBe(false);
  expect(existsSync(path.join(folder, 'data'))).toBe(false);
});

test('signals do not end the guard before its work is done', async () => {
  const { group, pids } = await startParent('obedient');
  process.kill(pids.guard, 'SIGTERM');
  process.kill(pids.guard, 'SIGINT');
  process.kill(-group, 'SIGKILL');
  await until(() => allEnded(pids));
  expect(existsSync(path.join(folder, 'data'))).toBe(false);
});

test('when the parent is done with it, it cleans up and ends too', async () => {
  const { parent, pids } = await startParent('orderly');
  parent.kill('SIGTERM');
  await once(parent, 'exit');
  expect(parent.exitCode).toBe(0);
  expect(allEnded(pids)).toBe(true);
  expect(existsSync(path.join(folder, 'data'))).toBe(false);
});
