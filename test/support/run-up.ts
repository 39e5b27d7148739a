import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readStack, type RunningStack } from '../../shared/config/run-file.ts';
import type { Environment } from '../../shared/config/read-settings.ts';
import { processIdentity } from '../../shared/process/process-identity.ts';
import { until } from './until.ts';

export const mainFile = path.join(import.meta.dirname, '../../bin/main.ts');

/** `presage up` as a user starts it: a process of its own, the leader of its process group. */
export interface UpProcess extends AsyncDisposable {
  pid: number;
  readyFile: string;
  /** How long it took until the ready file was there, in milliseconds. */
  readyAfterMs: number;
  /** What the ready file says now. */
  stack(): RunningStack;
  stdout(): string;
  stderr(): string;
  /** Answers the exit code when it has ended, `null` when a signal ended it. */
  ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
}

let count = 0;

/** Starts it in the folder and waits until it is ready, or has ended. */
export async function runUp(
  directory: string,
  argumentsOfUp: readonly string[] = [],
  environment: Environment = {},
): Promise<UpProcess> {
  const readyFile = path.join(directory, `ready-${count++}.json`);
  const startedAt = performance.now();
  const command = [mainFile, 'up', '--port', '0', '--ready-file', readyFile, ...argumentsOfUp];
  const child = spawn(process.execPath, command, {
    cwd: directory,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', ...environment },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
  const pid = child.pid ?? 0;
  const ended = once(child, 'close').then(() => child.exitCode);
  try {
    await until(() => existsSync(readyFile) || child.exitCode !== null);
  } catch (error) {
    child.kill('SIGTERM');
    await ended;
    throw new Error(`presage up is not ready; standard error says:\n${stderr}`, { cause: error });
  }
  return {
    pid,
    readyFile,
    readyAfterMs: Math.round(performance.now() - startedAt),
    stack() {
      const stack = readStack(readyFile);
      if (!stack) throw new Error(`there is no ready file; standard error says:\n${stderr}`);
      return stack;
    },
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    signal: (name) => void child.kill(name),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Every process of the stack but `up` itself. */
export function pidsOf(stack: RunningStack): number[] {
  return Object.values(stack.pids).flat();
}

export function anyAlive(pids: readonly number[]): boolean {
  return pids.some((pid) => processIdentity(pid) !== undefined);
}
