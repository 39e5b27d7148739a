import type { JobRecord } from '../ledger/job-record.ts';
import type { Ledger } from '../ledger/open-ledger.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { RedisClient } from './connect-redis.ts';
import { hearChannel } from './hear-channel.ts';

const pollMs = 1_000;

/** Waits for jobs to be settled, wherever that happens. */
export interface ResultChannel extends AsyncDisposable {
  /** The channel's name; goes into the job, so that the settling worker can announce the result on it. */
  name: string;
  /**
   * The settled job, or undefined when it is not settled within the time.
   *
   * @param signal ends the waiting early
   */
  wait(jobId: string, timeoutMs: number, signal?: AbortSignal): Promise<JobRecord | undefined>;
}

export interface ResultChannelOptions {
  /** A connection of its own: a subscribed connection can do nothing else. */
  subscriber: RedisClient;
  name: string;
  ledger: Pick<Ledger, 'read' | 'settledAmong'>;
  log: Logger;
}

/**
 * The settling worker publishes the job's id on this process's channel; the result itself is read from the
 * ledger. A message can get lost with Redis, so one query a second looks at all jobs that are waited for.
 */
export function openResultChannel({ subscriber, name, ledger, log }: ResultChannelOptions): ResultChannel {
  const waiting = new Map<string, Set<() => void>>();

  function settled(jobId: string): void {
    const listeners = waiting.get(jobId);
    waiting.delete(jobId);
    for (const listener of listeners ?? []) listener();
  }

  const hearing = hearChannel(subscriber, name, settled, log);

  let polling = false;
  async function poll(): Promise<void> {
    if (polling || waiting.size === 0) return;
    polling = true;
    try {
      for (const jobId of await ledger.settledAmong([...waiting.keys()])) settled(jobId);
    } catch (error) {
      log.debug({ err: error }, 'could not look for settled jobs');
    } finally {
      polling = false;
    }
  }
  const timer = setInterval(() => void poll(), pollMs);

  return {
    name,
    async wait(jobId, timeoutMs, signal) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const listeners = waiting.get(jobId) ?? new Set();
      listeners.add(resolve);
      waiting.set(jobId, listeners);
      const timeout = setTimeout(resolve, timeoutMs);
      const stop = () => resolve();
      signal?.addEventListener('abort', stop);
      if (signal?.aborted) stop();
      try {
        await promise;
        const record = await ledger.read(jobId);
        return record && record.state !== 'accepted' ? record : undefined;
      } finally {
        clearTimeout(timeout);
        signal?.removeEventListener('abort', stop);
        listeners.delete(resolve);
        if (listeners.size === 0 && waiting.get(jobId) === listeners) waiting.delete(jobId);
      }
    },
    [Symbol.asyncDispose]() {
      clearInterval(timer);
      hearing[Symbol.dispose]();
      for (const jobId of waiting.keys()) settled(jobId);
      return Promise.resolve();
    },
  };
}
