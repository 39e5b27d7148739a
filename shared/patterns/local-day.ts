import { localTime } from './local-clock.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Whole local days, counted from 1970-01-01; the last one does not belong to it. */
export interface DayWindow {
  startDay: number;
  endDay: number;
}

export function localDay(timezone: string, epochMs: number): number {
  return Math.floor(localTime(timezone, epochMs) / dayMs);
}

/** ISO weekday of a day counted from 1970-01-01, which was a Thursday. */
export function weekdayOf(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

/**
 * The last whole days before today, on the user's clock. Today is left out: what has not happened yet today is no
 * occasion missed.
 */
export function daysBefore(nowMs: number, timezone: string, days: number): DayWindow {
  const today = localDay(timezone, nowMs);
  return { startDay: today - days, endDay: today };
}
