import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Environment } from '../../shared/config/read-settings.ts';
import type { CommandRun } from './run-presage.ts';
import { mainFile } from './run-up.ts';

/** Runs one command as a process of its own, for what a process does at its start. */
export async function runPresageProcess(
  argv: readonly string[],
  environment: Environment,
  workingDirectory: string,
): Promise<CommandRun> {
  const child = spawn(process.execPath, [mainFile, ...argv], {
    cwd: workingDirectory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...environment },
  });
  const [output, messages] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { exitCode: child.exitCode ?? 1, output, messages };
}
