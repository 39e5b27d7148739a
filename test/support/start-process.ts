import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import type { Environment } from '../../shared/config/read-settings.ts';
import { mainFile } from './run-up.ts';
import { until } from './until.ts';

/** A process of the fleet as containers run it: by the command, with nothing of this machine's environment. */
export interface StartedProcess extends AsyncDisposable {
  stdout(): string;
  stderr(): string;
  /** Answers the exit code when it has ended, `null` when a signal ended it. */
  ended: Promise<number | null>;
  /** Waits until it is ready; answers where its own interface is, if it has one, and where its health routes are. */
  addresses(): Promise<{ url: string; healthUrl: string }>;
}

const readySchema = z.object({ url: z.string().optional(), health_url: z.string() });

export function startProcess(command: readonly string[], environment: Environment): StartedProcess {
  const child = spawn(process.execPath, [mainFile, ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...environment },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
  const ended = once(child, 'close').then(() => child.exitCode);
  const readyLine = () => stderr.split('\n').find((line) => line.includes('"msg":"ready"'));
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    async addresses() {
      await until(() => readyLine() !== undefined || child.exitCode !== null, { withinMs: 60_000 });
      const line = readyLine();
      if (line === undefined) throw new Error(`it has ended; standard error says:\n${stderr}`);
      const { url, health_url: healthUrl } = readySchema.parse(JSON.parse(line));
      return { url: url ?? healthUrl, healthUrl };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}
