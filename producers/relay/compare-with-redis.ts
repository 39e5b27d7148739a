import type { Ledger } from '../../shared/ledger/open-ledger.ts';
import type { OpenJob } from '../../shared/ledger/relay-queries.ts';
import type { Dispatcher, RedisJobState } from '../../shared/queue/open-dispatcher.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';

export interface Comparison {
  /** Put into Redis, because Redis did not know them or took them for finished. */
  dispatched: number;
  /** Given up, because their workers died again and again. */
  crashed: number;
}

export interface CompareDependencies {
  ledger: Pick<Ledger, 'settle'>;
  /** Which of the jobs are open still, in their generation. */
  stillOpen(jobs: readonly OpenJob[]): Promise<Set<string>>;
  /** Moves a parent on when all its children are settled; true when this call did so. */
  beginFinishStep(parentId: string): Promise<boolean>;
  dispatcher: Pick<Dispatcher, 'dispatch' | 'remove' | 'stateOf'>;
  log: Logger;
}

/**
 * Compares open ledger rows with Redis and mends the difference: unknown there → dispatch; finished there →
 * forget it there and dispatch again; crashed there → settle as failed. Rows whose children are at work are
 * moved on when the last child is done.
 */
export async function compareWithRedis(
  jobs: readonly OpenJob[],
  dependencies: CompareDependencies,
): Promise<Comparison> {
  const { dispatcher, ledger, log } = dependencies;
  const missing: OpenJob[] = [];
  const suspicious: { job: OpenJob; state: RedisJobState }[] = [];
  const states = await Promise.all(
    jobs.map(async (job) => ({
      job,
      state: job.phase === 'children' ? undefined : await dispatcher.stateOf(job),
    })),
  );
  for (const { job, state } of states) {
    if (state === undefined) {
      if (await dependencies.beginFinishStep(job.id))
        missing.push({ ...job, phase: 'finish', payload: null });
    } else if (state === 'lost') {
      missing.push(job);
    } else if (state === 'finished' || state === 'crashed') {
      suspicious.push({ job, state });
    }
  }

  // Between reading the row and asking Redis, a worker may have settled the job: look again.
  const open = await dependencies.stillOpen(suspicious.map(({ job }) => job));
  let crashed = 0;
  for (const { job, state } of suspicious) {
    if (!open.has(job.id)) continue;
    if (state === 'crashed') {
      const failure = {
        kind: 'transient',
        code: 'WORKER_LOST',
        message: 'The workers that ran this job died again and again',
      } as const;
      const { id, generation, attempts, parentId } = job;
      const outcome = await ledger.settle({
        id,
        generation,
        attempts,
        parentId,
        outcome: { state: 'failed', failure },
      });
      if (outcome.won) crashed += 1;
      log.error({ job_id: id, queue: job.queue }, 'job failed: its workers died again and again');
    } else {
      await dispatcher.remove(job);
      missing.push(job);
    }
  }

  await dispatcher.dispatch(missing, { again: true });
  return { dispatched: missing.length, crashed };
}
