import { Temporal } from 'temporal-polyfill';
import type { CallWindow, OptimalCallTime } from '../contracts/call-time-prediction.ts';
import { isoInstant } from './iso-instant.ts';

/**
 * A weekday comes back after seven days. One occurrence may be swallowed whole by a change of the clocks,
 * the same weekday of the following week by none that any zone has made: three weeks are ample.
 */
const daysToSearch = 21;

export type CallPattern = Pick<OptimalCallTime, 'preferredDayOfWeek' | 'preferredHourRange'>;

/**
 * The window of a weekly pattern that is open now (whole, from its nominal start) or else the next one.
 *
 * A window is what the clocks on the wall show from `start` to `end` of one local day, the end exclusive.
 * Where daylight saving skips its first or last hour it begins or ends at the change; where an hour occurs
 * twice, the first occurrence counts, for the start and for the end; a window that is skipped whole does not
 * take place. (Only where more than an hour occurs twice, in Antarctica/Troll alone, can an end in the midst of it
 * leave out a second pass through the pattern.)
 *
 * @param timezone an IANA name that the runtime knows
 * @param nowMs milliseconds since the epoch
 * @throws RangeError when the timezone is unknown
 */
export function nextCallWindow(pattern: CallPattern, timezone: string, nowMs: number): CallWindow {
  const weekdays = new Set(pattern.preferredDayOfWeek.map(isoWeekday));
  const { start, end } = pattern.preferredHourRange;
  const today = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timezone).toPlainDate();
  for (let days = 0; days < daysToSearch; days += 1) {
    const date = today.add({ days });
    if (!weekdays.has(date.dayOfWeek)) continue;
    const endMs = firstInstantMs(date, end, timezone);
    if (endMs <= nowMs) continue;
    const startMs = firstInstantMs(date, start, timezone);
    if (startMs < endMs) return { start: isoInstant(startMs), end: isoInstant(endMs) };
  }
  throw new Error('a weekly pattern without a window in three weeks');
}

/** Sunday is 0 in the documents and 7 in ISO 8601; both are understood. */
function isoWeekday(day: number): number {
  return day === 0 ? 7 : day;
}

/** The first instant at which the local clocks show the hour of the date or, where it is skipped, a later time. */
function firstInstantMs(date: Temporal.PlainDate, hour: number, timezone: string): number {
  const local = hour === 24 ? date.add({ days: 1 }).toPlainDateTime() : date.toPlainDateTime({ hour });
  const zoned = local.toZonedDateTime(timezone);
  if (zoned.hour === local.hour && zoned.minute === 0 && zoned.day === local.day)
    return zoned.epochMilliseconds;
  // The hour is skipped. `earlier` lies as far before the change as the hour lies behind it.
  const beforeChange = local.toZonedDateTime(timezone, { disambiguation: 'earlier' });
  return (beforeChange.getTimeZoneTransition('next') ?? zoned).epochMilliseconds;
}
