import { JobError } from '../../shared/errors/job-error.ts';
import type { PreparedFeatures } from '../../shared/models/prepare-features.ts';
import type { RowScore } from '../../shared/models/row-score.ts';
import type { ModelLease } from '../../shared/models/served-model.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import { mergePrepared } from './merge-prepared.ts';

export interface BatchLimits {
  /** Requests are run together up to so many rows; one that has more is run alone. */
  batchRows: number;
  /** The first request of a batch waits so long for others, in milliseconds. */
  batchWaitMs: number;
  /** Rows that may wait to be run; a single request may have more when nothing waits. */
  queueRows: number;
}

export interface BatchesOptions {
  modelId: string;
  limits: BatchLimits;
  metrics: Pick<Metrics, 'servingBatchRows' | 'servingWaitingRows' | 'servingQueueFull'>;
}

/** The lease may end before the answer is there: whoever waits no longer has its rows taken out. */
export type BatchLease = Pick<ModelLease, 'sha256' | 'scorePrepared'>;

/** Runs requests that come at the same time together. */
export interface Batches {
  /**
   * Scores the rows of one request; answers one result for each, in order. They are the same, to the last bit, as if
   * the request were alone.
   *
   * @param prepared by the columns of the lease's version
   * @param signal takes the rows out again
   * @throws JobError `rate-limited` with the code `QUEUE_FULL`; the signal's reason; what `scorePrepared` throws
   */
  score(lease: BatchLease, prepared: PreparedFeatures, signal: AbortSignal): Promise<RowScore[]>;
}

interface Waiting extends PromiseWithResolvers<RowScore[]> {
  lease: BatchLease;
  prepared: PreparedFeatures;
}

/** The requests of one version. */
interface Line {
  waiting: Set<Waiting>;
  isRunning: boolean;
  timer: NodeJS.Timeout | undefined;
}

/**
 * One batch of a version is run at a time; what comes meanwhile is the next one, so that batches grow with the load.
 * What comes while nothing is run waits until there are as many requests as the last time, or the time is over: one
 * caller alone is never kept waiting.
 */
export function openBatches({ modelId, limits, metrics }: BatchesOptions): Batches {
  const { batchRows, batchWaitMs, queueRows } = limits;
  const batchSizes = metrics.servingBatchRows.labels(modelId);
  const waitingGauge = metrics.servingWaitingRows.labels(modelId);
  const refusals = metrics.servingQueueFull.labels(modelId);
  /** By the checksum of the version. */
  const lines = new Map<string, Line>();
  let rowsWaiting = 0;
  /** Of the latest batch: so many are likely to come together again. */
  let requestsExpected = 1;

  function countWaiting(more: number): void {
    rowsWaiting += more;
    waitingGauge.set(rowsWaiting);
  }
  function take(line: Line): Waiting[] {
    const batch: Waiting[] = [];
    let rows = 0;
    for (const each of line.waiting) {
      const more = each.prepared.rows.length;
      if (batch.length > 0 && rows + more > batchRows) break;
      line.waiting.delete(each);
      batch.push(each);
      rows += more;
    }
    countWaiting(-rows);
    batchSizes.observe(rows);
    return batch;
  }
  async function runAll(key: string, line: Line): Promise<void> {
    clearTimeout(line.timer);
    line.timer = undefined;
    line.isRunning = true;
    while (line.waiting.size > 0) {
      const batch = take(line);
      requestsExpected = batch.length;
      await runBatch(batch);
    }
    lines.delete(key);
  }
  function start(key: string, line: Line): void {
    if (line.isRunning) return;
    const isFull = line.waiting.size >= requestsExpected || rowsOf(line) >= batchRows;
    if (isFull || batchWaitMs === 0) void runAll(key, line);
    else line.timer ??= setTimeout(() => void runAll(key, line), batchWaitMs);
  }

  return {
    async score(lease, prepared, signal) {
      signal.throwIfAborted();
      const rows = prepared.rows.length;
      if (rowsWaiting > 0 && rowsWaiting + rows > queueRows) {
        refusals.inc();
        throw new JobError('rate-limited', 'Too many rows wait for this model', { code: 'QUEUE_FULL' });
      }
      const key = lease.sha256;
      const line = lines.get(key) ?? { waiting: new Set(), isRunning: false, timer: undefined };
      lines.set(key, line);
      const entry: Waiting = { lease, prepared, ...Promise.withResolvers<RowScore[]>() };
      line.waiting.add(entry);
      countWaiting(rows);
      function leave(): void {
        if (line.waiting.delete(entry)) countWaiting(-rows);
        entry.reject(signal.reason);
      }
      signal.addEventListener('abort', leave, { once: true });
      start(key, line);
      try {
        return await entry.promise;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
  };
}

function rowsOf({ waiting }: Line): number {
  let rows = 0;
  for (const { prepared } of waiting) rows += prepared.rows.length;
  return rows;
}

/** Never rejects: each request gets its own rows' results, or its own failure. */
async function runBatch(batch: readonly Waiting[]): Promise<void> {
  const [first] = batch;
  if (!first) return;
  try {
    const scores = await first.lease.scorePrepared(mergePrepared(batch.map(({ prepared }) => prepared)));
    let next = 0;
    for (const { prepared, resolve } of batch) {
      resolve(scores.slice(next, next + prepared.rows.length));
      next += prepared.rows.length;
    }
  } catch (error) {
    if (batch.length === 1) first.reject(error);
    // A network that cannot run one of the rows runs none of them: the others must not suffer for it.
    else for (const each of batch) await runBatch([each]);
  }
}
