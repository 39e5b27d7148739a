import { daysBefore } from '../../shared/patterns/local-day.ts';
import type { Pattern } from '../../shared/patterns/pattern.ts';
import { oneAfterOther, onWeekdays, workdays } from './make-habits.ts';
import {
  llamaModel,
  openPatternWorker,
  proposing,
  wednesdayNoonMs,
  type PatternWorker,
} from './open-pattern-worker.ts';

export const days = daysBefore(wednesdayNoonMs, 'UTC', 30);

/** What they do who have the habit `atNine`. */
export const dashboard = onWeekdays('dashboard', days);
export const atNine = {
  kind: 'time',
  activity: 'dashboard',
  weekdays: [...workdays],
  hour_start: 9,
  hour_end: 10,
} satisfies Pattern;
/** The next window of `atNine`. */
export const tomorrowAtNine = {
  window_start: new Date('2026-03-12T09:00:00Z'),
  window_end: new Date('2026-03-12T10:00:00Z'),
};

/** What they do who have the habit `afterLogin`. */
export const report = oneAfterOther('login', 'report', days);
export const afterLogin = {
  kind: 'sequence',
  after: 'login',
  activity: 'report',
  within_minutes: 5,
} satisfies Pattern;

/** The result of a look that the model has taken part in. */
export const found = (patterns: number, predictions: number) => ({
  patterns_detected: patterns,
  predictions_queued: predictions,
  model_used: `together-${llamaModel}`,
  degraded: false,
});

/** A worker whose model proposes both habits, whoever is looked at. */
export async function openLookWorker(): Promise<PatternWorker> {
  const worker = await openPatternWorker();
  worker.says(proposing(atNine, afterLogin));
  return worker;
}
