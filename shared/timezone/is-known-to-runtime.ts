import { Temporal } from 'temporal-polyfill';

/**
 * Whether the runtime can compute with a timezone of this name. Asked of what computes with it: `Intl` also knows old
 * abbreviations such as ACT, which `Temporal` refuses.
 */
export function isKnownToRuntime(timezone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timezone);
    return true;
  } catch {
    return false;
  }
}
