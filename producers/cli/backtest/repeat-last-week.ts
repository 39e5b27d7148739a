import type { ActivityLog } from '../../../shared/patterns/activity-log.ts';
import { hourMs } from '../../../shared/patterns/local-day.ts';

/**
 * The control: expects each activity again at the weekday and hour at which it was done in the log's last week, on
 * every day of the later log.
 */
export function repeatLastWeek(
  log: ActivityLog,
  later: ActivityLog,
): { predictions: number; cameTrue: number } {
  const happened = hoursOf(later);
  let predictions = 0;
  let cameTrue = 0;
  for (const [name, hours] of hoursOf(log)) {
    for (const hour of hours) {
      if (hour < (log.window.endDay - 7) * 24) continue;
      for (let again = hour + 7 * 24; again < later.window.endDay * 24; again += 7 * 24) {
        predictions += 1;
        if (happened.get(name)?.has(again) === true) cameTrue += 1;
      }
    }
  }
  return { predictions, cameTrue };
}

/** In which local hours, counted from 1970, each activity was done. */
function hoursOf(log: ActivityLog): Map<string, Set<number>> {
  const hours = log.activities.map(({ name, places }): [string, Set<number>] => [
    name,
    new Set(places.map((place) => Math.floor((log.localMsAt[place] ?? 0) / hourMs))),
  ]);
  return new Map(hours);
}
