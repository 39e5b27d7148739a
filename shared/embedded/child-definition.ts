import type { ChildProcess } from 'node:child_process';
import type { Environment } from '../config/read-settings.ts';
import type { ChildRole } from './open-guard.ts';
import { StackError } from './stack-error.ts';

/** How a child is run and how it shows that it works. */
export interface ChildDefinition<Ready = unknown> {
  /** As people and the run file call it: `redis`, `api`, a queue's name. */
  name: string;
  role: ChildRole;
  program: string;
  /** What the program sees as its own name, where that differs from its file. */
  programName?: string;
  arguments: readonly string[];
  environment: Environment;
  /** Whether it talks to us over Node's IPC channel. */
  ipc: boolean;
  /** The file that takes its output; without one its output goes to our standard error. */
  logFile?: string;
  /**
   * Waits until this start of the child works and answers what is worth knowing about it.
   *
   * @param ended aborted when the child has ended, or took too long
   */
  waitUntilReady: (child: ChildProcess, ended: AbortSignal) => Promise<Ready>;
  readyTimeoutMs: number;
  /** From SIGTERM to SIGKILL, in milliseconds. */
  stopTimeoutMs: number;
}

/** The child ended, as often as it was tried, before it was ready for the first time. */
export class ChildStartError extends StackError {
  constructor(definition: Pick<ChildDefinition, 'name'>, reason: string, lastLines: string) {
    super(`${definition.name} cannot be started: ${reason}.\n${lastLines}`.trimEnd());
  }
}
