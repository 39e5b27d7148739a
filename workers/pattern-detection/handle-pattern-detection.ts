import type { PayloadOf } from '../../shared/contracts/define-queue.ts';
import type {
  patternDetection,
  SweepResult,
  UserPatterns,
} from '../../shared/contracts/pattern-detection.ts';
import type { ChildOutcome } from '../../shared/ledger/fan-out.ts';
import type { FanOut } from '../../shared/queue/handlers.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { lookAtUser } from './look-at-user.ts';
import type { PatternDetectionDependencies } from './pattern-detection-dependencies.ts';
import { sumSweep } from './sum-sweep.ts';
import { sweepUsers } from './sweep-users.ts';

/** Document 001: one user's patterns, or a tick, which has a look taken at each user with something new. */
export function startPatternDetection(
  payload: PayloadOf<typeof patternDetection>,
  context: JobContext,
  dependencies: PatternDetectionDependencies,
): Promise<UserPatterns | FanOut> {
  return 'user_id' in payload
    ? lookAtUser(payload.user_id, context, dependencies)
    : sweepUsers(context, dependencies);
}

/** The end of a tick: when every look is done, or its time is over. */
export async function finishPatternDetection(
  looks: AsyncIterable<ChildOutcome>,
  interim: unknown,
  { log }: Pick<JobContext, 'log'>,
  { metrics }: Pick<PatternDetectionDependencies, 'metrics'>,
): Promise<SweepResult> {
  const { result, startedAt, failed, open } = await sumSweep(looks, interim);
  metrics.sweeps.inc({ outcome: result.success ? 'success' : 'incomplete' });
  const seconds = (Date.now() - startedAt.getTime()) / 1_000;
  log.info({ ...result, failed_users: failed, open_users: open, seconds }, 'the tick is over');
  return result;
}
