import { Temporal } from 'temporal-polyfill';
import { isKnownToRuntime } from '../timezone/is-known-to-runtime.ts';

/** A stretch of time during which a timezone's offset from UTC stays the same. */
interface Stretch {
  startMs: number;
  endMs: number;
  offsetMs: number;
}

interface Zone {
  stretches: Stretch[];
  /** Events of one user are near each other: the stretch of the last one mostly fits. */
  latest: Stretch;
}

/** More zones than there are, fewer than a hostile log can spell. */
const zonesToKeep = 1_000;
/** Some hundred years of changing clocks. */
const stretchesToKeep = 512;

const zones = new Map<string, Zone>();
const utc: Zone = {
  stretches: [],
  latest: { startMs: -Infinity, endMs: Infinity, offsetMs: 0 },
};

/**
 * What the clocks of a timezone show at an instant: milliseconds since 1970-01-01T00:00 on those clocks.
 * A zone that the runtime does not know counts as UTC: rows may come from other systems.
 *
 * @throws RangeError when the instant is not one that a date can have
 */
export function localTime(timezone: string, epochMs: number): number {
  const zone = zones.get(timezone) ?? openZone(timezone, epochMs);
  const { latest } = zone;
  if (epochMs >= latest.startMs && epochMs < latest.endMs) return epochMs + latest.offsetMs;
  let stretch = zone.stretches.find(({ startMs, endMs }) => epochMs >= startMs && epochMs < endMs);
  if (!stretch) {
    stretch = stretchAt(timezone, epochMs);
    if (zone.stretches.length >= stretchesToKeep) zone.stretches.length = 0;
    zone.stretches.push(stretch);
  }
  zone.latest = stretch;
  return epochMs + stretch.offsetMs;
}

function openZone(timezone: string, epochMs: number): Zone {
  let zone = utc;
  if (isKnownToRuntime(timezone)) {
    const latest = stretchAt(timezone, epochMs);
    zone = { stretches: [latest], latest };
  }
  if (zones.size >= zonesToKeep) zones.clear();
  zones.set(timezone, zone);
  return zone;
}

function stretchAt(timezone: string, epochMs: number): Stretch {
  const here = Temporal.Instant.fromEpochMilliseconds(Math.floor(epochMs)).toZonedDateTimeISO(timezone);
  // A millisecond later, because `previous` passes over a change that happens now.
  const change = here.add({ milliseconds: 1 }).getTimeZoneTransition('previous');
  return {
    startMs: change?.epochMilliseconds ?? -Infinity,
    endMs: here.getTimeZoneTransition('next')?.epochMilliseconds ?? Infinity,
    offsetMs: here.offsetNanoseconds / 1e6,
  };
}
