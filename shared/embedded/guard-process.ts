import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { processIdentity } from '../process/process-identity.ts';

// The guard of a stack: a process of its own session that outlives its parent just long enough to clean up.
// The parent tells it on standard input, line by line, what belongs to the stack:
//
//   watch process 123    a process of the fleet (it ends by itself when it loses its parent)
//   watch server 124     a database server, stopped after those
//   forget 123           it has ended
//   remove %2Ftmp%2Fx    a file or folder to delete at the end
//   hurry                kill whatever runs: nobody wants to wait
//
// It answers one line when it is ready. When standard input ends, whether the parent closed it after an orderly
// stop or was killed, the guard ends what still runs, deletes what is to be deleted, and leaves.

interface Member {
  pid: number;
  role: string;
  identity: string;
}

/** Processes of the fleet notice by themselves that their parent is gone; SIGTERM is for those that did not. */
const ownEndMs = 3_000;
const processTermMs = 5_000;
const serverTermMs = 15_000;
const killMs = 5_000;

const members = new Map<number, Member>();
const leftovers: string[] = [];
let hurry = false;

function obey(line: string): void {
  const [verb, ...words] = line.split(' ');
  if (verb === 'watch') {
    const pid = Number(words[1]);
    const identity = processIdentity(pid);
    if (identity !== undefined) members.set(pid, { pid, role: words[0] ?? '', identity });
  } else if (verb === 'forget') {
    members.delete(Number(words[0]));
  } else if (verb === 'remove') {
    leftovers.push(decodeURIComponent(words[0] ?? ''));
  } else if (verb === 'hurry') {
    hurry = true;
  }
}

/** Those that still run; not a process that was given the same id later. */
function running(role: string): Member[] {
  return [...members.values()].filter(
    (member) => member.role === role && processIdentity(member.pid) === member.identity,
  );
}

async function waitForEnd(role: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (running(role).length > 0 && Date.now() < deadline) await delay(25);
}

function signal(role: string, name: NodeJS.Signals): void {
  for (const { pid } of running(role)) {
    try {
      process.kill(-pid, name); // every member leads a process group of its own
    } catch {
      // It ended in this moment.
    }
  }
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // Stays: it ends when everything that it guards has ended.
  });
}

process.stdout.write('ready\n'); // from now on nothing can be left behind

for await (const line of createInterface({ input: process.stdin })) obey(line);

if (!hurry) {
  await waitForEnd('process', ownEndMs);
  signal('process', 'SIGTERM');
  await waitForEnd('process', processTermMs);
}
signal('process', 'SIGKILL');
if (!hurry) {
  signal('server', 'SIGTERM');
  await waitForEnd('server', serverTermMs);
}
signal('server', 'SIGKILL');
await waitForEnd('process', killMs);
await waitForEnd('server', killMs);
for (const leftover of leftovers) {
  await rm(leftover, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
}
