import { tmpdir } from 'node:os';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCommand } from '../../producers/cli/main.ts';
import type { Environment } from '../../shared/config/read-settings.ts';

export interface CommandRun {
  exitCode: number;
  output: string;
  messages: string;
}

/** Runs one command of the command line in the test's own process; `input` is what it reads from standard input. */
export async function runPresage(
  argv: readonly string[],
  environment: Environment,
  { workingDirectory = tmpdir(), input = '' } = {},
): Promise<CommandRun> {
  const output = new PassThrough();
  const messages = new PassThrough();
  const exitCode = await runCommand(
    argv,
    {
      environment,
      stackEnvironment: environment,
      workingDirectory,
      input: Readable.from([input]),
      output,
      messages,
    },
    { runWorkers: () => Promise.resolve(0), runBenchmarks: () => Promise.resolve(0) },
  );
  output.end();
  messages.end();
  return { exitCode, output: await text(output), messages: await text(messages) };
}
