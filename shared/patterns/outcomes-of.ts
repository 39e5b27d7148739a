import { placesOf, type ActivityLog } from './activity-log.ts';
import { dayMs, hourMs, weekdayOf } from './local-day.ts';
import type { Pattern } from './pattern.ts';
import { occasionsOf } from './sequence-evidence.ts';

/**
 * What became of a pattern on the days of a log that comes after it: one entry for each prediction that it makes,
 * true if it came true. A prediction is one local day's window, or one time that the leading activity was done.
 */
export function outcomesOf(pattern: Pattern, later: ActivityLog): boolean[] {
  if (pattern.kind === 'sequence') return occasionsOf(pattern, later).map(({ followed }) => followed);
  const hitDays = new Set<number>();
  for (const place of placesOf(later, pattern.activity)) {
    const localMs = later.localMsAt[place] ?? 0;
    const day = Math.floor(localMs / dayMs);
    const hour = (localMs - day * dayMs) / hourMs;
    if (hour >= pattern.hour_start && hour < pattern.hour_end) hitDays.add(day);
  }
  const outcomes = [];
  for (let day = later.window.startDay; day < later.window.endDay; day += 1) {
    if (pattern.weekdays.includes(weekdayOf(day))) outcomes.push(hitDays.has(day));
  }
  return outcomes;
}
