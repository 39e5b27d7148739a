import { dayMs, weekdayOf } from '../../shared/patterns/local-day.ts';

const dayNames = ['', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Of an ISO weekday: 1 is `Mon`. */
export function dayName(weekday: number): string {
  return dayNames[weekday] ?? '';
}

/** A time on a user's clock, in milliseconds since 1970 on that clock, for example `Mon 2026-11-23 09:12`. */
export function localWords(localMs: number): string {
  const text = new Date(localMs).toISOString();
  return `${dayName(weekdayOf(Math.floor(localMs / dayMs)))} ${text.slice(0, 10)} ${text.slice(11, 16)}`;
}
