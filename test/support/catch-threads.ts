import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';

export interface CaughtThreads extends Disposable {
  /** The threads that were started since, in order. */
  threads: Worker[];
  /** How many of them have not ended. */
  alive(): number;
}

/** Watches which threads the code under test starts. */
export function catchThreads(): CaughtThreads {
  const threads: Worker[] = [];
  const note = (message: unknown) => void threads.push((message as { worker: Worker }).worker);
  subscribe('worker_threads', note);
  return {
    threads,
    // An ended thread has the id -1.
    alive: () => threads.filter(({ threadId }) => threadId !== -1).length,
    [Symbol.dispose]: () => void unsubscribe('worker_threads', note),
  };
}
