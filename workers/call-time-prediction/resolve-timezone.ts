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

  function isTimezone(name: string): boolean {
    const lowerCase = name.toLowerCase();
    if (known.has(lowerCase)) return true;
    if (!isIanaName(name)) return false;
    known.add(lowerCase);
    return true;
  }

  return ({ phoneNumber, timezone }) => {
    if (timezone === undefined) return timezoneOfNumber(phoneNumber) ?? 'UTC';
    return isTimezone(timezone) ? timezone : undefined;
  };
}

function isIanaName(name: string): boolean {
  // Names only: the runtime takes offsets such as +02:00 for timezones too.
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return false;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
