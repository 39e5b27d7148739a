import type { PayloadOf, ResultOf } from '../../shared/contracts/define-queue.ts';
import type {
  LeadBulkResult,
  LeadChunkResult,
  LeadScores,
  leadScoring,
} from '../../shared/contracts/lead-scoring.ts';
import { JobError } from '../../shared/errors/job-error.ts';
import type { ChildOutcome } from '../../shared/ledger/fan-out.ts';
import { FanOut } from '../../shared/queue/handlers.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import type { LeadScoringDependencies } from './score-and-record.ts';
import { scoreBatch } from './score-batch.ts';
import { scoreChunk } from './score-chunk.ts';
import { sumChunks } from './sum-chunks.ts';

type Payload = PayloadOf<typeof leadScoring>;

/** Document 004: how likely each lead of a batch converts; a bulk is done chunk by chunk. */
export async function startLeadScoring(
  payload: Payload,
  context: JobContext,
  dependencies: LeadScoringDependencies,
): Promise<ResultOf<typeof leadScoring> | FanOut> {
  // Accepted together with its chunks, a bulk comes here only when an operator has opened it again.
  if ('total' in payload) return new FanOut([], { reopenChildren: true });
  const { parentId } = context;
  // A chunk only as a part of a bulk: nobody else says whose rows it writes.
  return await dependencies.shadow.whileAnswering<LeadScores | LeadChunkResult>(() =>
    'first_position' in payload && parentId !== undefined
      ? scoreChunk(parentId, payload, context, dependencies)
      : scoreBatch(payload, context, dependencies),
  );
}

/** The end of a bulk, when each of its chunks is settled. */
export async function finishLeadScoring(
  payload: Payload,
  { jobId, log }: Pick<JobContext, 'jobId' | 'log'>,
  chunks: AsyncIterable<ChildOutcome>,
): Promise<LeadBulkResult> {
  if (!('total' in payload)) {
    throw new JobError('permanent', 'Only a bulk of leads has chunks', { code: 'NOT_A_BULK' });
  }
  const summary = await sumChunks(jobId, payload, chunks);
  log.info(summary, 'the bulk is done');
  return summary;
}
