import { JobError } from '../errors/job-error.ts';
import type { Ledger } from '../ledger/open-ledger.ts';

export interface QueueLimit {
  /**
   * @throws JobError `rate-limited`, `QUEUE_FULL` when the queue has as many open jobs as it may have
   */
  assertRoom(queue: string): Promise<void>;
}

const countedForMs = 1_000;

/**
 * Keeps queues from growing without end. The ledger is counted at most once a second and queue, so that the limit
 * is a little soft and costs nothing.
 */
export function createQueueLimit(ledger: Pick<Ledger, 'countOpen'>, maxDepth: number): QueueLimit {
  const counts = new Map<string, { until: number; count: Promise<number> }>();
  return {
    async assertRoom(queue) {
      const now = Date.now();
      let counted = counts.get(queue);
      if (!counted || counted.until <= now) {
        counted = { until: now + countedForMs, count: ledger.countOpen(queue, maxDepth) };
        counts.set(queue, counted);
        counted.count.catch(() => counts.delete(queue));
      }
      if ((await counted.count) < maxDepth) return;
      throw new JobError(
        'rate-limited',
        `The queue ${queue} has ${maxDepth} open jobs, as many as it may have`,
        {
          code: 'QUEUE_FULL',
          retryAfterMs: 5_000,
        },
      );
    },
  };
}
