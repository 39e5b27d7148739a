import { readActiveUsers } from '../../shared/activity/read-active-users.ts';
import { dayMs } from '../../shared/patterns/local-day.ts';
import { FanOut } from '../../shared/queue/handlers.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { acceptLooks } from './activity-looks.ts';
import { learnAgain } from './learn-again.ts';
import type { PatternDetectionDependencies } from './pattern-detection-dependencies.ts';
import { scorePredictions } from './score-predictions.ts';
import type { SweptUsers } from './sum-sweep.ts';

/**
 * One tick: scores what has come due, learns how well patterns hold, and has a look taken at every active user who did
 * something new. The looks are children of the tick, so that they go on in parallel and whatever becomes of the tick.
 */
export async function sweepUsers(
  context: JobContext,
  dependencies: PatternDetectionDependencies,
): Promise<FanOut> {
  const { db, enqueue, settings, tickTimes } = dependencies;
  const { jobId: tickId, signal } = context;
  const startedAtMs = Date.now();
  const isAfter = (ms: number) => () => Date.now() - startedAtMs >= ms;
  const nowMs = dependencies.now();
  const activeSince = new Date(nowMs - settings.activeUserDays * dayMs);

  await scorePredictions(dependencies, { nowMs, isTimeUp: isAfter(tickTimes.scoreUntilMs) }, context);
  await learnAgain(
    dependencies,
    { nowMs, activeSince, windowDays: settings.windowDays, isTimeUp: isAfter(tickTimes.learnUntilMs) },
    context,
  );

  const startedAt = new Date(startedAtMs).toISOString();
  const swept: SweptUsers = { started_at: startedAt, active_users: 0, complete: true };
  const isWalkOver = isAfter(tickTimes.walkUntilMs);
  for await (const users of readActiveUsers(db, { since: activeSince })) {
    signal.throwIfAborted();
    if (isWalkOver()) {
      swept.complete = false;
      break;
    }
    swept.active_users += users.length;
    const looks = await acceptLooks({ db, enqueue }, users, { tickId, now: new Date(nowMs) });
    await enqueue.dispatchAll(looks);
  }
  return new FanOut([], { until: new Date(startedAtMs + tickTimes.endAfterMs), interim: swept });
}
