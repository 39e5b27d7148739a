import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Fleet } from '../start-fleet.ts';
import { CommandFailed } from '../usage-error.ts';

const mainFile = join(import.meta.dirname, '../../../bin/main.ts');

/**
 * Runs one command of the command line against the fleet, as a user would. Answers what it printed.
 *
 * @throws CommandFailed
 */
export async function runCommand(fleet: Fleet, command: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [mainFile, ...command], {
    env: { ...fleet.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (child.exitCode !== 0) {
    throw new CommandFailed(`presage ${command[0] ?? ''} did not succeed; see above.`);
  }
  return printed;
}
