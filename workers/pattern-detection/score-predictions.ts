import type { Kysely } from 'kysely';
import pMap from 'p-map';
import { readUserActivity } from '../../shared/activity/read-user-activity.ts';
import { toActivityEvents } from '../../shared/activity/to-activity-events.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { didComeTrue } from '../../shared/patterns/did-come-true.ts';
import { minuteMs } from '../../shared/patterns/local-day.ts';
import { parsePattern } from '../../shared/patterns/parse-pattern.ts';
import type { Pattern } from '../../shared/patterns/pattern.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import { confidenceTenth } from './confidence-tenth.ts';
import { readDuePredictions, recordScore, wasVisited, type DuePrediction } from './due-predictions.ts';

export interface ScoringClients {
  db: Kysely<Tables>;
  metrics: Pick<Metrics, 'predictionsScored'>;
}

/** Predictions are judged a few at a time: the fleet's other work needs MySQL too. */
const atOnce = 4;
const mostEvents = 50_000;

/**
 * Scores the predictions whose time has passed by what the user did in it. What is not ripe yet, and what is left when
 * the time is up, comes with the next tick.
 *
 * @param options.isTimeUp asked before each page of predictions
 */
export async function scorePredictions(
  { db, metrics }: ScoringClients,
  { nowMs, isTimeUp }: { nowMs: number; isTimeUp: () => boolean },
  { signal, log }: Pick<JobContext, 'signal' | 'log'>,
): Promise<void> {
  const now = new Date(nowMs);
  for await (const page of readDuePredictions(db, now)) {
    await pMap(
      page,
      async (prediction) => {
        signal.throwIfAborted();
        const pattern = parsePattern(prediction.pattern);
        if (!pattern)
          log.warn({ generation_id: prediction.id }, 'a prediction has no pattern that can be read');
        else if (ripeAtMs(pattern, prediction) > nowMs) return;
        const cameTrue = pattern && (await didHappen(pattern, prediction, db));
        if (!(await recordScore(db, { id: prediction.id, cameTrue, now }))) return;
        const outcome = cameTrue === undefined ? 'not_applicable' : cameTrue ? 'came_true' : 'did_not';
        metrics.predictionsScored.inc({ confidence: confidenceTenth(prediction.confidence), outcome });
      },
      { concurrency: atOnce },
    );
    if (isTimeUp()) return;
  }
}

/** What follows upon something that was done at the end of the window may come later. */
function ripeAtMs(pattern: Pattern, { windowEnd }: DuePrediction): number {
  return windowEnd.getTime() + slackMs(pattern);
}

function slackMs(pattern: Pattern): number {
  return pattern.kind === 'sequence' ? pattern.within_minutes * minuteMs : 0;
}

/** Undefined when what would have led to it was not done. */
async function didHappen(
  pattern: Pattern,
  prediction: DuePrediction,
  db: Kysely<Tables>,
): Promise<boolean | undefined> {
  if (await wasVisited(db, prediction)) return true;
  const window = { startMs: prediction.windowStart.getTime(), endMs: prediction.windowEnd.getTime() };
  const events = await readUserActivity(db, prediction.userId, {
    from: new Date(window.startMs - slackMs(pattern)),
    // It may follow at the very end of its time.
    before: new Date(window.endMs + slackMs(pattern) + 1),
    limit: mostEvents,
  });
  return didComeTrue(pattern, window, toActivityEvents(events));
}
