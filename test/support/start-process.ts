import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import type { Environment } from '../../shared/config/read-settings.ts';
import { mainFile } from './run-up.ts';
import { until } from './until.ts';

const lineSchema = z.object({
  msg: z.string(),
  url: z.string().optional(),
  health_url: z.string().optional(),
  finding: z.string().optional(),
});

type Line = z.output<typeof lineSchema>;

/** A process of the fleet as containers run it: by the command, with nothing of this machine's environment. */
export interface StartedProcess extends AsyncDisposable {
  stdout(): string;
  stderr(): string;
  /** Answers the exit code when it has ended, `null` when a signal ended it. */
  ended: Promise<number | null>;
  /** Waits until it logs a line whose message begins so. */
  line(message: string): Promise<Line>;
  /** Waits until it is ready; answers where its own interface is, if it has one, and where its health routes are. */
  addresses(): Promise<{ url: string; healthUrl: string }>;
}

/** @param workingDirectory where a file `.env` would be read; this project's folder when left out */
export function startProcess(
  command: readonly string[],
  environment: Environment,
  workingDirectory = process.cwd(),
): StartedProcess {
  const child = spawn(process.execPath, [mainFile, ...command], {
    cwd: workingDirectory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...environment },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
  const ended = once(child, 'close').then(() => child.exitCode);

  function lines(): Line[] {
    const whole = stderr.split('\n').slice(0, -1);
    return whole.filter((text) => text.startsWith('{')).map((text) => lineSchema.parse(JSON.parse(text)));
  }
  async function line(message: string): Promise<Line> {
    const find = () => lines().find(({ msg }) => msg.startsWith(message));
    await until(() => find() !== undefined || child.exitCode !== null);
    const found = find();
    if (found) return found;
    throw new Error(`it has ended without saying "${message}"; standard error says:\n${stderr}`);
  }
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    line,
    async addresses() {
      const { url, health_url: healthUrl } = await line('ready');
      if (healthUrl === undefined) throw new Error('it did not say where its health routes are');
      return { url: url ?? healthUrl, healthUrl };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}
