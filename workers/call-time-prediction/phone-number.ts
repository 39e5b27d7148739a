import { parsePhoneNumberFromString } from 'libphonenumber-js';

const e164 = /^\+[1-9]\d{1,14}$/;

/**
 * Whether the text is an E.164 phone number (no spaces or separators) whose length is possible in its country
 * or, for numbers of no country such as +800…, in its calling code. Possible, not assigned: number plans change
 * faster than a library is updated, and the documents' own example is not in its list of assigned ranges.
 */
export function isPossiblePhoneNumber(text: string): boolean {
  return e164.test(text) && (parsePhoneNumberFromString(text, { extract: false })?.isPossible() ?? false);
}
