import { placesOf, type ActivityLog } from './activity-log.ts';
import {
  addDays,
  countDays,
  countShared,
  createDaySet,
  daysWithout,
  sharedDays,
  type DaySet,
} from './day-set.ts';
import { fading, type Evidence } from './evidence.ts';
import { daysWithin, observedWeekdays, readHourGrid, weeksOf, type HourGrid } from './hour-grid.ts';
import { leastShare } from './is-pattern.ts';
import type { TimePattern } from './pattern.ts';

/**
 * Tests a time pattern on the days of a log. Each week is judged by the window that the other weeks would have
 * chosen (as long, on the same weekdays), and a weekday counts only if they would have proposed it: so no day speaks
 * for a window or a weekday that it chose itself, whoever proposed it.
 */
export function timeEvidence(pattern: TimePattern, log: ActivityLog): Evidence {
  const grid = readHourGrid(log, placesOf(log, pattern.activity));
  const observed = observedWeekdays(log);
  const weekdays = pattern.weekdays.flatMap((weekday) => observed[weekday] ?? []);
  const days = createDaySet(log.window.endDay - log.window.startDay);
  for (const weekday of weekdays) addDays(days, weekday);
  const own = daysWithin(grid, pattern.hour_start, pattern.hour_end);
  const windows = windowsAsLongAs(grid, pattern.hour_end - pattern.hour_start);
  const weeks = weeksOf(log);

  let hits = 0;
  let occasions = 0;
  let recentHits = 0;
  let recentOccasions = 0;
  for (const [age, week] of weeks.entries()) {
    const tested = sharedDays(days, week);
    const testedDays = countDays(tested);
    if (testedDays === 0) continue;
    occasions += testedDays;
    recentHits += fading ** age * countShared(own, tested);
    recentOccasions += fading ** age * testedDays;
    const chosen = chooseWindow(windows, daysWithout(days, week));
    if (!chosen) continue;
    for (const weekday of weekdays) {
      const others = daysWithout(weekday, week);
      const worthProposing = countShared(chosen, others) >= leastShare * Math.max(1, countDays(others));
      if (worthProposing) hits += countShared(chosen, sharedDays(weekday, week));
    }
  }
  return {
    kind: 'time',
    hits,
    occasions,
    fittedHits: countShared(own, days),
    fittedOccasions: countDays(days),
    recentHits,
    recentOccasions,
    baseRate: baseRate(windows, pattern, days),
  };
}

function windowsAsLongAs(grid: HourGrid, hours: number): DaySet[] {
  return Array.from({ length: 25 - hours }, (_nothing, start) => daysWithin(grid, start, start + hours));
}

/** The window with the most hits on the given days; of equals the middle one. Nothing when none was hit. */
function chooseWindow(windows: readonly DaySet[], days: DaySet): DaySet | undefined {
  let most = 0;
  let best: DaySet[] = [];
  for (const window of windows) {
    const hits = countShared(window, days);
    if (hits > most) {
      most = hits;
      best = [];
    }
    if (hits === most && hits > 0) best.push(window);
  }
  return best[best.length >> 1];
}

/** How often a window as long is hit on such days at other hours of the day. */
export function baseRate(
  windows: readonly DaySet[],
  { hour_start, hour_end }: Pick<TimePattern, 'hour_start' | 'hour_end'>,
  days: DaySet,
): number {
  const width = hour_end - hour_start;
  const total = countDays(days);
  let hits = 0;
  let others = 0;
  for (let start = 0; start < windows.length; start += 1) {
    const window = windows[start];
    if (!window || (start < hour_end && start + width > hour_start)) continue;
    const found = countShared(window, days);
    hits += found;
    others += found > 0 ? total : 0;
  }
  // Hours at which it never happens are the user's nights: they would make anything look special.
  return others === 0 ? 0 : hits / others;
}
