import type { Contact, ContactError } from '../../shared/contracts/call-time-prediction.ts';
import { isPossiblePhoneNumber } from './phone-number.ts';
import type { ResolveTimezone } from './resolve-timezone.ts';

/** A contact that can be called, with everything that the endpoint is told about it. */
export interface CallableContact {
  /** Its position in the request, from 0. */
  position: number;
  id: string;
  phoneNumber: string;
  timezone: string;
  metadata: NonNullable<Contact['metadata']>;
}

export interface CheckedContacts {
  /** In request order, like the errors; every contact is in exactly one of the two. */
  callable: CallableContact[];
  errors: ContactError[];
}

/** Sorts out the contacts that cannot be called; one bad contact never fails the others. */
export function checkContacts(
  contacts: readonly Contact[],
  resolveTimezone: ResolveTimezone,
): CheckedContacts {
  const callable: CallableContact[] = [];
  const errors: ContactError[] = [];
  for (const [position, contact] of contacts.entries()) {
    if (!isPossiblePhoneNumber(contact.phoneNumber)) {
      errors.push({
        contactId: contact.id,
        code: 'INVALID_PHONE_NUMBER',
        message:
          'The phone number must be in E.164 format (a plus sign, then up to 15 digits, no separators) ' +
          'and as long as numbers of its country are',
      });
      continue;
    }
    const timezone = resolveTimezone(contact);
    if (timezone === undefined) {
      errors.push({
        contactId: contact.id,
        code: 'INVALID_TIMEZONE',
        message: 'The timezone must be a name of the IANA database, such as Asia/Jerusalem, or be left out',
      });
      continue;
    }
    callable.push({
      position,
      id: contact.id,
      phoneNumber: contact.phoneNumber,
      timezone,
      metadata: contact.metadata ?? {},
    });
  }
  return { callable, errors };
}
