import type { InstantOfLocalTime } from './local-time.ts';

const form =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:(Z)|([+-])(\d\d):?(\d\d)?)?$/i;

const minuteMs = 60_000;

/**
 * An ISO date and time as milliseconds since the epoch; undefined when it is none. Without Z or an offset it is what
 * the clocks of the timezone show, or UTC where none is given.
 *
 * @param timezone an IANA name that the runtime knows
 */
export function parseOccurredAt(
  text: string,
  timezone: string | undefined,
  instantOfLocalTime: InstantOfLocalTime,
): number | undefined {
  const match = form.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second = '0', fraction = '', utc, sign, hours, minutes] = match;
  const localMs = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.slice(0, 3).padEnd(3, '0')),
  );
  const isOnCalendar =
    new Date(localMs).toISOString().slice(0, 19) ===
    `${year}-${month}-${day}T${hour}:${minute}:${second.padStart(2, '0')}`;
  if (!isOnCalendar) return undefined;
  if (utc !== undefined) return localMs;
  if (sign !== undefined) {
    const offsetMinutes = Number(hours) * 60 + Number(minutes ?? 0);
    if (offsetMinutes > 18 * 60 || Number(minutes ?? 0) > 59) return undefined;
    return localMs - (sign === '-' ? -1 : 1) * offsetMinutes * minuteMs;
  }
  return timezone === undefined ? localMs : instantOfLocalTime(localMs, timezone);
}
