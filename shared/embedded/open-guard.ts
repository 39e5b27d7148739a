import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** `process`: a process of the fleet, stopped first; `server`: a database server, stopped when those are gone. */
export type ChildRole = 'process' | 'server';

/**
 * Sees to it that nothing stays behind when this process crashes or is killed. Disposing it ends whatever is
 * still on its list, deletes what it was told to delete, and waits until that is done.
 */
export interface Guard extends AsyncDisposable {
  /** The process that cleans up; it ends last of all. */
  readonly pid: number;
  /** Names a child, which must lead a process group of its own (`detached`). */
  watch(pid: number, role: ChildRole): void;
  forget(pid: number): void;
  /** Names a file or folder that is deleted when everything has ended. */
  removeAtEnd(path: string): void;
  /** From now on, what still runs at the end is killed instead of being asked to stop. */
  hurry(): void;
}

/** Starts the guard process (see guard-process.ts), connected by a pipe that the kernel closes if we die. */
export async function openGuard(): Promise<Guard> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'guard-process.ts')], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {},
    cwd: '/',
  });
  const { pid, stdin, stdout } = child;
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  await Promise.race([once(stdout, 'data'), ended]);
  if (pid === undefined || child.exitCode !== null) throw new Error('the guard process could not be started');
  stdout.destroy();
  // Should somebody kill the guard, the stack works on; only a crash would leave something behind then.
  stdin.on('error', () => undefined);
  return {
    pid,
    watch: (member, role) => void stdin.write(`watch ${role} ${member}\n`),
    forget: (member) => void stdin.write(`forget ${member}\n`),
    removeAtEnd: (leftover) => void stdin.write(`remove ${encodeURIComponent(leftover)}\n`),
    hurry: () => void stdin.write('hurry\n'),
    async [Symbol.asyncDispose]() {
      child.ref();
      stdin.end();
      await ended;
    },
  };
}
