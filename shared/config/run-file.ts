import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { processIdentity } from '../process/process-identity.ts';
import type { Environment } from './read-settings.ts';
import { environmentWithAddresses } from './stack-addresses.ts';

const runningStackSchema = z.object({
  api: z.string(),
  dashboard: z.string(),
  /** Empty where the models are not started. */
  model_serving: z.string(),
  redis: z.string(),
  mysql: z.string(),
  dynamodb: z.string(),
  artifacts: z.string(),
  /** Where the health routes of each process answer. */
  health: z.record(z.string(), z.array(z.string())),
  pids: z.record(z.string(), z.array(z.int())),
  /** The `presage up` that owns all of it, with what tells it from a later process of the same id. */
  up: z.object({ pid: z.int(), identity: z.string() }),
});

/** What runs under one `presage up`, and where: the addresses hold user and password, usable as they are. */
export type RunningStack = z.output<typeof runningStackSchema>;

/** The file in which the stack of this folder says what it is. */
export function runFilePath(directory: string): string {
  return path.join(directory, '.presage', 'run.json');
}

/** The stack that runs in this folder; `undefined` when none does, also when its `up` process was killed. */
export function readRunFile(directory: string): RunningStack | undefined {
  const stack = readStack(runFilePath(directory));
  return stack && processIdentity(stack.up.pid) === stack.up.identity ? stack : undefined;
}

/** What a run file or a ready file says; `undefined` when it cannot be read or is something else. */
export function readStack(file: string): RunningStack | undefined {
  try {
    return runningStackSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Replaces the file in one step, so that nobody reads half of it. For the user's eyes only: it holds passwords. */
export function writeRunFile(file: string, stack: RunningStack): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const unfinished = `${file}.${process.pid}.new`;
  writeFileSync(unfinished, `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600 });
  renameSync(unfinished, file);
}

/**
 * The environment together with the addresses of the stack that runs in this folder. What the environment
 * itself names always comes first.
 */
export function environmentOfRunningStack(environment: Environment, directory: string): Environment {
  const stack = readRunFile(directory);
  if (!stack) return environment;
  return environmentWithAddresses(environment, stack);
}
