import { z } from 'zod';
import { leadScoring, maxLeadsPerBatch } from '../../../shared/contracts/lead-scoring.ts';
import { splitBulk, type SplitBulk } from '../../../shared/leads/split-bulk.ts';

const manyLeadsSchema = z.object({ lead_ids: z.array(z.unknown()).min(maxLeadsPerBatch + 1) });

/**
 * More leads than one batch can have, as a bulk; undefined for everything else.
 *
 * @throws PayloadError
 */
export async function bulkOfLeads(queue: string, payload: unknown): Promise<SplitBulk | undefined> {
  const many = queue === leadScoring.name ? manyLeadsSchema.safeParse(payload).data : undefined;
  return many && (await splitBulk([many.lead_ids]));
}
