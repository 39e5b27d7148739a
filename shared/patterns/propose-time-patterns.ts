import type { ActivityLog, LoggedActivity } from './activity-log.ts';
import { addDays, countDays, countShared, createDaySet, type DaySet } from './day-set.ts';
import { daysWithin, observedWeekdays, readHourGrid } from './hour-grid.ts';
import { isPattern, leastHits, leastShare } from './is-pattern.ts';
import { maximumWindowHours, type TimePattern } from './pattern.ts';
import { baseRate } from './time-evidence.ts';

const mostActivities = 40;
const mostPerActivity = 4;

const commonSets: readonly (readonly number[])[] = [
  [1, 2, 3, 4, 5, 6, 7],
  [1, 2, 3, 4, 5],
  [6, 7],
];
const singleDays: readonly (readonly number[])[] = [[1], [2], [3], [4], [5], [6], [7]];
/** Weekdays are joined only if this share of their days was hit, because choosing among weekdays flatters. */
const leastShareJoined = 0.8;
/** By how much joined weekdays must do better than a common set, for the same reason. */
const costOfJoining = 0.1;

/** What a share is drawn towards, as if so many occasions more had been seen: few occasions prove little. */
const priorShare = 0.3;
const priorOccasions = 4;
/** What an hour more must bring in: else the shorter window is the better one. */
const costOfHour = 0.02;

interface Candidate {
  pattern: TimePattern;
  score: number;
}

interface Weekdays {
  weekdays: readonly number[];
  /** Those on which the user was observed. */
  days: DaySet;
  count: number;
  /** What they must bring in to be chosen. */
  cost: number;
}

interface FixedWeekdays {
  common: readonly Weekdays[];
  single: readonly Weekdays[];
}

export function proposeTimePatterns(log: ActivityLog): Candidate[] {
  const observed = observedWeekdays(log);
  const size = log.window.endDay - log.window.startDay;
  const observedOn = (weekdays: readonly number[]): Weekdays => {
    const days = createDaySet(size);
    for (const weekday of weekdays) {
      const set = observed[weekday];
      if (set) addDays(days, set);
    }
    return { weekdays, days, count: countDays(days), cost: 0 };
  };
  const fixed = { common: commonSets.map(observedOn), single: singleDays.map(observedOn) };
  return log.activities
    .filter(({ places }) => places.length >= leastHits)
    .sort((one, other) => other.places.length - one.places.length)
    .slice(0, mostActivities)
    .flatMap((activity) => withoutOverlaps(candidatesOf(activity, log, fixed)));
}

function candidatesOf(activity: LoggedActivity, log: ActivityLog, fixed: FixedWeekdays): Candidate[] {
  const grid = readHourGrid(log, activity.places);
  const candidates: Candidate[] = [];
  for (let width = 1; width <= maximumWindowHours; width += 1) {
    const windows = Array.from({ length: 25 - width }, (_nothing, start) =>
      daysWithin(grid, start, start + width),
    );
    for (const [start, window] of windows.entries()) {
      if (countDays(window) < leastHits) continue;
      for (const { weekdays, days, count, cost } of weekdaysFor(window, fixed)) {
        const hits = countShared(window, days);
        if (hits < leastHits || hits < leastShare * count) continue;
        const hours = { hour_start: start, hour_end: start + width };
        const numbers = {
          fittedHits: hits,
          fittedOccasions: count,
          baseRate: baseRate(windows, hours, days),
        };
        if (!isPattern(numbers)) continue;
        candidates.push({
          pattern: { kind: 'time', activity: activity.name, weekdays: [...weekdays], ...hours },
          score:
            (hits + priorShare * priorOccasions) / (count + priorOccasions) - costOfHour * (width - 1) - cost,
        });
      }
    }
  }
  return candidates;
}

/**
 * The weekdays to try for a window: the common sets, and each weekday by itself. Weekdays on each of which the window
 * is often hit are joined if on the whole it is nearly always hit: at most one such set, lest chance find one.
 */
function weekdaysFor(window: DaySet, { common, single }: FixedWeekdays): Weekdays[] {
  const kept = single.filter(
    ({ days, count }) => count > 0 && countShared(window, days) >= leastShare * count,
  );
  const days = createDaySet(window.length * 32);
  for (const weekday of kept) addDays(days, weekday.days);
  const count = countDays(days);
  if (kept.length < 2 || countShared(window, days) < leastShareJoined * count) return [...common, ...single];
  const weekdays = kept.flatMap((weekday) => weekday.weekdays);
  const others = single.filter((weekday) => !kept.includes(weekday));
  return [...common, { weekdays, days, count, cost: costOfJoining }, ...others];
}

/** The best of those that claim the same activity for the same hours of the same weekday. */
function withoutOverlaps(candidates: Candidate[]): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates.sort((one, other) => other.score - one.score)) {
    if (kept.length >= mostPerActivity) break;
    if (!kept.some(({ pattern }) => overlap(pattern, candidate.pattern))) kept.push(candidate);
  }
  return kept;
}

/** Whether two patterns of one activity claim the same hour of the same day. */
export function overlap(one: TimePattern, other: TimePattern): boolean {
  return (
    one.activity === other.activity &&
    one.hour_start < other.hour_end &&
    other.hour_start < one.hour_end &&
    one.weekdays.some((weekday) => other.weekdays.includes(weekday))
  );
}
