import type { Contact } from '../../shared/contracts/call-time-prediction.ts';
import { createTimezoneNames } from '../../shared/timezone/timezone-names.ts';
import type { TimezoneOfNumber } from './phone-timezone.ts';

/** The timezone to call a contact in; `undefined` when the one that it names is no timezone. */
export type ResolveTimezone = (contact: Pick<Contact, 'phoneNumber' | 'timezone'>) => string | undefined;

/**
 * The contact's own timezone, as the caller spelt it; without one the phone number's, else UTC.
 * What a contact names must be an IANA name: an offset such as +02:00 does not know daylight saving.
 */
export function createTimezoneResolver(timezoneOfNumber: TimezoneOfNumber): ResolveTimezone {
  const isTimezone = createTimezoneNames();

  return ({ phoneNumber, timezone }) => {
    if (timezone === undefined) return timezoneOfNumber(phoneNumber) ?? 'UTC';
    return isTimezone(timezone) ? timezone : undefined;
  };
}
