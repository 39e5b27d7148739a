import type { ActivityLog } from './activity-log.ts';
import { addDay, addDays, createDaySet, type DaySet } from './day-set.ts';
import { dayMs, hourMs, weekdayOf } from './local-day.ts';

/** On which days of the window an activity was done, by hour of the day. */
export type HourGrid = readonly DaySet[];

/** @param places of the activity in the log */
export function readHourGrid(log: ActivityLog, places: readonly number[]): HourGrid {
  const days = log.window.endDay - log.window.startDay;
  const grid = Array.from({ length: 24 }, () => createDaySet(days));
  for (const place of places) {
    const localMs = log.localMsAt[place] ?? 0;
    const day = Math.floor(localMs / dayMs);
    const hour = grid[Math.floor((localMs - day * dayMs) / hourMs)];
    if (hour) addDay(hour, day - log.window.startDay);
  }
  return grid;
}

/** The days on which it was done at any of the hours. */
export function daysWithin(grid: HourGrid, hourStart: number, hourEnd: number): DaySet {
  const days = createDaySet((grid[0]?.length ?? 1) * 32);
  for (let hour = hourStart; hour < hourEnd; hour += 1) {
    const set = grid[hour];
    if (set) addDays(days, set);
  }
  return days;
}

/** The days on which the user was observed, by ISO weekday (place 0 stays empty). */
export function observedWeekdays({ window, firstDay }: ActivityLog): DaySet[] {
  const sets = Array.from({ length: 8 }, () => createDaySet(window.endDay - window.startDay));
  for (let day = firstDay; day < window.endDay; day += 1) {
    const set = sets[weekdayOf(day)];
    if (set) addDay(set, day - window.startDay);
  }
  return sets;
}

/** The window's weeks, the latest first, the oldest perhaps shorter. */
export function weeksOf({ window }: ActivityLog): DaySet[] {
  const days = window.endDay - window.startDay;
  const weeks = [];
  for (let end = days; end > 0; end -= 7) {
    const week = createDaySet(days);
    for (let day = Math.max(0, end - 7); day < end; day += 1) addDay(week, day);
    weeks.push(week);
  }
  return weeks;
}
