import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { ChildDefinition } from './child-definition.ts';
import type { Guard } from './open-guard.ts';

/** One start of a child, from its birth to its end. */
export interface Child<Ready> {
  /** `undefined` when the program could not be run at all. */
  pid: number | undefined;
  /** Rejects when the child ended before it was ready; one that took too long is killed. */
  ready: Promise<Ready>;
  /** Resolves when it has ended, with the reason as the rest of a sentence about it. */
  ended: Promise<string>;
  /** Signals its whole process group; does nothing when it has ended. */
  signal(name: NodeJS.Signals): void;
}

/**
 * Starts the child as the leader of a session of its own: a Ctrl-C in the terminal reaches only us, and we
 * stop things in order. The guard ends it when we cannot.
 */
export function spawnChild<Ready>(definition: ChildDefinition<Ready>, guard: Guard): Child<Ready> {
  const started = runDetached(definition);
  const { pid } = started;
  if (pid !== undefined) guard.watch(pid, definition.role);

  let running = pid !== undefined;
  const life = new AbortController();
  const ended = untilEnd(started).then((reason) => {
    running = false;
    if (pid !== undefined) guard.forget(pid);
    life.abort(new Error(reason));
    return reason;
  });

  function signal(name: NodeJS.Signals): void {
    if (!running || pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {
      // It ended in this moment; `ended` will say so.
    }
  }

  async function untilReady(): Promise<Ready> {
    const timeout = AbortSignal.timeout(definition.readyTimeoutMs);
    try {
      return await definition.waitUntilReady(started, AbortSignal.any([life.signal, timeout]));
    } catch (error) {
      if (life.signal.aborted) throw life.signal.reason;
      signal('SIGKILL');
      await ended;
      throw timeout.aborted
        ? new Error(`it was not ready within ${definition.readyTimeoutMs / 1000} s`)
        : error;
    }
  }

  return { pid, ready: untilReady(), ended, signal };
}

function runDetached(definition: ChildDefinition): ChildProcess {
  const logFile = definition.logFile === undefined ? undefined : openSync(definition.logFile, 'a', 0o600);
  // Our standard output is for results, so a child without a log file writes both to our standard error.
  const output = logFile ?? 2;
  const stdio: StdioOptions = ['ignore', output, output, ...(definition.ipc ? (['ipc'] as const) : [])];
  try {
    return spawn(definition.program, definition.arguments, {
      argv0: definition.programName ?? definition.program,
      env: { ...definition.environment },
      detached: true,
      stdio,
    });
  } finally {
    if (logFile !== undefined) closeSync(logFile);
  }
}

function untilEnd(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(`it could not be run (${error.message})`);
    });
    child.once('exit', (code, signal) =>
      resolve(signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`),
    );
  });
}
