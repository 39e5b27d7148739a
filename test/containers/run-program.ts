import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const maxOutputBytes = 64 * 1024 * 1024;

export interface ProgramOptions {
  environment: NodeJS.ProcessEnv;
  workingDirectory: string;
  /** Standard input; nothing without it. */
  input?: string;
}

/**
 * Runs a program to its end and answers what it printed.
 *
 * @throws Error with the whole command and all that it printed when it could not be run or did not exit with 0
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { environment, workingDirectory, input = '' }: ProgramOptions,
): Promise<string> {
  const running = execute(program, args, {
    env: environment,
    cwd: workingDirectory,
    maxBuffer: maxOutputBytes,
  });
  // A program that ends without reading it is no failure.
  running.child.stdin?.on('error', () => undefined).end(input);
  try {
    return (await running).stdout;
  } catch (error) {
    const printed = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${printed}`, {
      cause: error,
    });
  }
}
