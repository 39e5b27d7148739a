import type { Logger } from '../telemetry/create-logger.ts';

export interface ConsumptionWatch extends Disposable {
  /** To be called whenever a job is taken or let go. */
  noteProgress(): void;
  /** Whether work has waited too long while nothing was taken. */
  isStalled(): boolean;
}

export interface WatchConsumptionOptions {
  queue: string;
  /** What Redis holds for this worker; rejects when Redis is away. */
  inspect: () => Promise<{ waiting: number; paused: boolean }>;
  /**
   * How long work may wait without progress, in milliseconds: longer while every slot is busy than while there are
   * free ones.
   */
  patienceMs: () => number;
  checkEveryMs: number;
  log: Logger;
}

/**
 * Proves that a worker consumes, instead of believing that it does: a worker can look alive and have stopped taking
 * jobs for good. It counts as stalled when work waits, the queue is not paused, and nothing was taken or finished
 * for too long. A Redis that is away is another matter, and told by another check.
 */
export function watchConsumption(options: WatchConsumptionOptions): ConsumptionWatch {
  const { queue, inspect, patienceMs, checkEveryMs, log } = options;
  /** Since when work has waited with nothing taken; undefined while all is well. */
  let waitingSince: number | undefined;
  let stalled = false;
  let looking = false;

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      const { waiting, paused } = await inspect();
      if (waiting === 0 || paused) waitingSince = undefined;
      else waitingSince ??= performance.now();
      const isStalled = waitingSince !== undefined && performance.now() - waitingSince > patienceMs();
      if (isStalled && !stalled)
        log.error({ queue, waiting }, 'work waits, but this worker has stopped taking it');
      stalled = isStalled;
    } catch (error) {
      log.debug({ err: error, queue }, 'whether work waits is not known');
    } finally {
      looking = false;
    }
  }
  const timer = setInterval(() => void look(), checkEveryMs);

  return {
    noteProgress() {
      waitingSince = undefined;
      stalled = false;
    },
    isStalled: () => stalled,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
