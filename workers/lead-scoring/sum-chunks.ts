import {
  bulkErrorCodes,
  leadChunkResultSchema,
  type LeadBulk,
  type LeadBulkResult,
} from '../../shared/contracts/lead-scoring.ts';
import type { ChildOutcome } from '../../shared/ledger/fan-out.ts';

/**
 * The summary of a bulk. A chunk that failed or was cancelled is counted, its leads as not scored, and takes nothing
 * from the others.
 */
export async function sumChunks(
  bulkId: string,
  { total, chunks }: LeadBulk,
  outcomes: AsyncIterable<Pick<ChildOutcome, 'state' | 'result'>>,
): Promise<LeadBulkResult> {
  const errors: LeadBulkResult['errors'] = {};
  let [scored, failed, completed] = [0, 0, 0];
  for await (const { state, result } of outcomes) {
    const counts = state === 'completed' ? leadChunkResultSchema.safeParse(result).data : undefined;
    if (!counts) continue;
    completed += 1;
    scored += counts.scored;
    for (const code of bulkErrorCodes) {
      const count = counts.errors[code] ?? 0;
      failed += count;
      if (count > 0) errors[code] = (errors[code] ?? 0) + count;
    }
  }
  const notScored = total - scored - failed;
  if (notScored > 0) errors.NOT_SCORED = notScored;
  return {
    total,
    scored,
    errors,
    failed_chunks: chunks - completed,
    results_url: `/v1/lead-scores/${bulkId}`,
  };
}
