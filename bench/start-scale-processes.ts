import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { BenchmarkEnvironment } from './benchmark-report.ts';
import { scaleReportSchema, type QueueDone, type ScaleTask } from './scale-messages.ts';

/** Worker processes, and what each of them has done since `forget`. */
export interface ScaleProcesses {
  /** One for each process. */
  doneBy(queue: string): QueueDone[];
  /** Waits until all of them together have done so many jobs of the queue. */
  untilDone(queue: string, jobs: number): Promise<void>;
  forget(): void;
}

/** Starts so many processes with the same task, and waits until they consume; they end with `resources`. */
export async function startScaleProcesses(
  task: ScaleTask,
  count: number,
  environment: BenchmarkEnvironment['processEnvironment'],
  resources: AsyncDisposableStack,
): Promise<ScaleProcesses> {
  const failure = Promise.withResolvers<never>();
  // It matters to those who wait only.
  failure.promise.catch(() => undefined);
  let heard = Promise.withResolvers<void>();

  async function start(): Promise<{ done: Map<string, QueueDone> }> {
    const child = fork(join(import.meta.dirname, 'scale-process.ts'), { env: environment });
    const exited = once(child, 'exit');
    let isClosing = false;
    child.once('exit', (code, signal) => {
      if (!isClosing) failure.reject(new Error(`a worker process has ended: ${code ?? signal}`));
    });
    resources.defer(async () => {
      isClosing = true;
      if (child.connected) child.disconnect();
      await exited;
    });
    const done = new Map<string, QueueDone>();
    child.on('message', (message) => {
      for (const [queue, more] of Object.entries(scaleReportSchema.parse(message))) {
        done.set(queue, added(done.get(queue), more));
      }
      heard.resolve();
      heard = Promise.withResolvers();
    });
    const ready = once(child, 'message');
    child.send(task);
    await Promise.race([ready, failure.promise]);
    return { done };
  }

  const started = await Promise.all(Array.from({ length: count }, start));
  const nothing: QueueDone = { jobs: 0, lastAtMs: 0, waitsMs: [] };
  const doneBy = (queue: string) => started.map(({ done }) => done.get(queue) ?? nothing);
  return {
    doneBy,
    async untilDone(queue, jobs) {
      while (doneBy(queue).reduce((sum, done) => sum + done.jobs, 0) < jobs) {
        await Promise.race([heard.promise, failure.promise]);
      }
    },
    forget() {
      for (const { done } of started) done.clear();
    },
  };
}

function added(before: QueueDone | undefined, more: QueueDone): QueueDone {
  return {
    jobs: (before?.jobs ?? 0) + more.jobs,
    lastAtMs: Math.max(before?.lastAtMs ?? 0, more.lastAtMs),
    waitsMs: [...(before?.waitsMs ?? []), ...more.waitsMs],
  };
}
