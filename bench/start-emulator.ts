import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BenchmarkEnvironment } from './benchmark-report.ts';

/**
 * A vendor's local server as a process of its own, which ends with `resources` or with this process. Answers its URL.
 *
 * @param program a file of `shared/emulators` that prints its URL
 */
export async function startEmulator(
  program: 'run-llm-server.ts' | 'run-sagemaker-server.ts',
  latencyMs: number,
  environment: BenchmarkEnvironment['processEnvironment'],
  resources: AsyncDisposableStack,
): Promise<string> {
  const file = join(import.meta.dirname, '../shared/emulators', program);
  const child = spawn(process.execPath, [file, '--latency-ms', String(latencyMs)], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  resources.defer(async () => {
    const exited = once(child, 'exit');
    child.kill();
    await exited;
  });
  if (!child.stdout) throw new Error('a child with a pipe has no output');
  const lines = createInterface({ input: child.stdout });
  for await (const url of lines) return url;
  throw new Error(`${program} did not start`);
}
