import { z } from 'zod';
import { userPatternsSchema, type SweepResult } from '../../shared/contracts/pattern-detection.ts';
import type { ChildOutcome } from '../../shared/ledger/fan-out.ts';

export const sweptUsersSchema = z.object({
  started_at: z.iso.datetime(),
  active_users: z.int().min(0),
  /** Whether the tick got to all of them. */
  complete: z.boolean(),
});

/** What the start of a tick hands to its end. */
export type SweptUsers = z.output<typeof sweptUsersSchema>;

export interface SummedSweep {
  result: SweepResult;
  startedAt: Date;
  /** Users whose look failed or was cancelled, and those whose look is still open. */
  failed: number;
  open: number;
}

/** Document 001's result of a tick. A look that failed is counted, and takes nothing from the others. */
export async function sumSweep(looks: AsyncIterable<ChildOutcome>, interim: unknown): Promise<SummedSweep> {
  const { started_at, active_users, complete } = sweptUsersSchema.parse(interim);
  let [patterns_detected, predictions_queued, failed, open] = [0, 0, 0, 0];
  for await (const { state, result } of looks) {
    const look = state === 'completed' ? userPatternsSchema.safeParse(result).data : undefined;
    if (look) {
      patterns_detected += look.patterns_detected;
      predictions_queued += look.predictions_queued;
    } else if (state === 'open') open += 1;
    else failed += 1;
  }
  return {
    result: { success: complete && open === 0, active_users, patterns_detected, predictions_queued },
    startedAt: new Date(started_at),
    failed,
    open,
  };
}
