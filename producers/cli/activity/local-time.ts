import { Temporal } from 'temporal-polyfill';

/**
 * The instant at which clocks of a timezone show a time, in milliseconds since the epoch. `localMs` is that time as if
 * it were UTC. Of a time that occurs twice, the first one is meant; one that is skipped is as much later as the clocks
 * were put forward.
 *
 * @throws RangeError when the timezone is unknown
 */
export type InstantOfLocalTime = (localMs: number, timezone: string) => number;

const hourMs = 3_600_000;
const maxKnownHours = 200_000;

/** The calendar is asked twice for each hour of each timezone, not for each of millions of times. */
export function createLocalTime(): InstantOfLocalTime {
  const offsets = new Map<string, Map<number, number>>();
  let knownHours = 0;

  return (localMs, timezone) => {
    const hour = Math.floor(localMs / hourMs);
    const known = offsets.get(timezone)?.get(hour);
    if (known !== undefined) return localMs - known;

    const first = offsetAt(hour * hourMs, timezone);
    // The clocks may change within the hour: then each time is looked up by itself.
    if (first !== offsetAt((hour + 1) * hourMs - 1, timezone)) return localMs - offsetAt(localMs, timezone);
    if (knownHours === maxKnownHours) {
      offsets.clear();
      knownHours = 0;
    }
    const hours = offsets.get(timezone) ?? new Map<number, number>();
    offsets.set(timezone, hours.set(hour, first));
    knownHours += 1;
    return localMs - first;
  };
}

function offsetAt(localMs: number, timezone: string): number {
  const local = Temporal.Instant.fromEpochMilliseconds(localMs).toZonedDateTimeISO('UTC').toPlainDateTime();
  return localMs - local.toZonedDateTime(timezone).epochMilliseconds;
}
