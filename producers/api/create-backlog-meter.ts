import type { QueueBacklog } from '../../shared/api-contract/queue-backlog.ts';
import { StoreUnavailableError } from '../../shared/errors/job-error.ts';
import type { RedisConnection } from '../../shared/queue/connect-redis.ts';
import type { Dispatcher } from '../../shared/queue/open-dispatcher.ts';
import { readRecentRuns } from '../../shared/queue/read-recent-runs.ts';
import type { RedisKeys } from '../../shared/queue/redis-keys.ts';

/**
 * Measures what waits in a queue of the catalogue, at most once a second for each.
 *
 * @throws StoreUnavailableError when Redis is away: then nobody can work, and the ledger's rows would only call for
 * workers that have nothing to take
 */
export type MeasureBacklog = (queue: string) => Promise<QueueBacklog>;

export interface BacklogMeterOptions {
  dispatcher: Pick<Dispatcher, 'depth' | 'countDueDelayed' | 'isPaused'>;
  redis: RedisConnection;
  keys: RedisKeys;
  /** Jobs that one worker process has in hand at once. */
  jobsAtOnce: number;
}

const measuredForMs = 1_000;
const runsMeasured = 100;
/** Until the first job of a queue is done, nobody knows how long one takes. */
const assumedRunSeconds = 1;

export function createBacklogMeter(options: BacklogMeterOptions): MeasureBacklog {
  const measured = new Map<string, { until: number; backlog: Promise<QueueBacklog> }>();
  return async (queue) => {
    const now = Date.now();
    let entry = measured.get(queue);
    if (!entry || entry.until <= now) {
      entry = { until: now + measuredForMs, backlog: measure(queue, options) };
      measured.set(queue, entry);
      entry.backlog.catch(() => measured.delete(queue));
    }
    try {
      return await entry.backlog;
    } catch (error) {
      throw new StoreUnavailableError('redis', error);
    }
  };
}

async function measure(
  queue: string,
  { dispatcher, redis, keys, jobsAtOnce }: BacklogMeterOptions,
): Promise<QueueBacklog> {
  const [depth, dueDelayed, paused, runs] = await Promise.all([
    dispatcher.depth(queue),
    dispatcher.countDueDelayed(queue),
    dispatcher.isPaused(queue),
    readRecentRuns(redis.client, keys, queue, runsMeasured),
  ]);
  const waiting = depth.waiting + dueDelayed;
  const meanRunSeconds =
    runs.length === 0 ? null : runs.reduce((sum, ms) => sum + ms, 0) / runs.length / 1_000;
  return {
    queue,
    // A paused queue is not emptied by any number of workers.
    backlog_seconds: paused ? 0 : (waiting * (meanRunSeconds ?? assumedRunSeconds)) / jobsAtOnce,
    waiting_jobs: waiting,
    active_jobs: depth.active,
    // Both were counted at about the same time, not at the very same.
    delayed_jobs: Math.max(0, depth.delayed - dueDelayed),
    mean_run_seconds: meanRunSeconds,
    measured_runs: runs.length,
    jobs_at_once: jobsAtOnce,
    paused,
  };
}
