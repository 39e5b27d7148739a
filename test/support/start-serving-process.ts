import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Environment } from '../../shared/config/read-settings.ts';
import type { TestFleet } from './open-test-fleet.ts';
import { mainFile } from './run-up.ts';
import { until } from './until.ts';

/** The worker that serves models as a process of its own. */
export interface ServingProcess extends AsyncDisposable {
  stdout(): string;
  stderr(): string;
  /** Answers the exit code when it has ended, `null` when a signal ended it. */
  ended: Promise<number | null>;
  /** Waits until it is ready; answers where its models and its health routes are. */
  addresses(): Promise<{ url: string; healthUrl: string }>;
}

/** Starts it on the stores of a test, whose queues it shares with nobody: no other test puts jobs under its names. */
export function startServingProcess(
  { databaseSettings }: Pick<TestFleet, 'databaseSettings'>,
  environment: Environment,
): ServingProcess {
  const { host, port, database, user, password } = databaseSettings;
  const child = spawn(process.execPath, [mainFile, 'worker', 'model-serving'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      REDIS_URL: process.env['TEST_REDIS_URL'],
      DATABASE_URL: `mysql://${user}:${password}@${host}:${port}/${database}`,
      SERVING_PORT: '0',
      ...environment,
    },
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
      await until(() => readyLine() !== undefined || child.exitCode !== null);
      const line = readyLine();
      if (line === undefined) throw new Error(`it has ended; standard error says:\n${stderr}`);
      const told = JSON.parse(line) as { url: string; health_url: string };
      return { url: told.url, healthUrl: told.health_url };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}
