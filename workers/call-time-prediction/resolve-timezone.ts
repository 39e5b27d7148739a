import type { Contact } from '../../shared/contracts/call-time-prediction.ts';
import type { TimezoneOfNumber } from './phone-timezone.ts';

/** The timezone to call a contact in; `undefined` when the one that it names is no timezone. */
export type ResolveTimezone = (contact: Pick<Contact, 'phoneNumber' | 'timezone'>) => string | undefined;

/**
 * The contact's own timezone, as the caller spelt it; without one the phone number's, else UTC.
 * What a contact names must be an IANA name: an offset such as +02:00 does not know daylight saving.
 */
export function createTimezoneResolver(timezoneOfNumber: TimezoneOfNumber): ResolveTimezone {
  // In lower case, because names are not case-sensitive: at most as many entries as there are zones.
  const known = new Set<string>();

  function isTimezone(text: string): boolean {
    // Names only: the runtime takes offsets such as +02:00 for timezones too.
    if (!/^[A-Za-z][\w+/-]*$/.test(text)) return false;
    const name = text.toLowerCase();
    if (!known.has(name)) {
      if (!isKnownToRuntime(name)) return false;
      known.add(name);
    }
    return true;
  }

  return ({ phoneNumber, timezone }) => {
    if (timezone === undefined) return timezoneOfNumber(phoneNumber) ?? 'UTC';
    return isTimezone(timezone) ? timezone : undefined;
  };
}

function isKnownToRuntime(name: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
