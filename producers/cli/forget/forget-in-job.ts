/** What stands where something of a forgotten person stood. */
export const forgotten = '[forgotten]';

export interface JobTexts {
  /** JSON text. */
  payload: string;
  /** JSON text. */
  result: string | null;
}

/**
 * A job's payload and result without the person who has this phone number. The person's contacts keep their place
 * in the request and lose everything that they say: an open job treats them as contacts with a bad number. Their
 * ids go from the result; the number itself goes from wherever it is mentioned.
 *
 * @param phoneNumber in E.164 form
 */
export function forgetInJob({ payload, result }: JobTexts, phoneNumber: string): JobTexts {
  const contactIds = new Set<string>();
  const mention = mentionOf(phoneNumber);

  function inText(text: string): string {
    return text.replaceAll(mention, forgotten);
  }

  function inValue(value: unknown): unknown {
    if (typeof value === 'string') return inText(value);
    if (Array.isArray(value)) return value.map(inValue);
    if (typeof value !== 'object' || value === null) return value;
    const fields = Object.entries(value);
    const isThePerson = fields.some(
      ([name, content]) => /^phone_?number$/i.test(name) && content === phoneNumber,
    );
    if (isThePerson) return tombstone(fields);
    return Object.fromEntries(fields.map(([name, content]) => [inText(name), inField(name, content)]));
  }

  function inField(name: string, content: unknown): unknown {
    const isTheirs = name === 'contactId' && typeof content === 'string' && contactIds.has(content);
    return isTheirs ? forgotten : inValue(content);
  }

  /** As much of a contact as its queue's contract asks for. */
  function tombstone(fields: readonly (readonly [string, unknown])[]): Record<string, string> {
    const id = fields.find(([name]) => name === 'id')?.[1];
    if (typeof id === 'string') contactIds.add(id);
    return { ...(id === undefined ? {} : { id: forgotten }), phoneNumber: forgotten };
  }

  // The payload first: it says which contacts in the result are meant.
  const emptied = inJson(payload, inValue);
  return { payload: emptied, result: result === null ? null : inJson(result, inValue) };
}

/** Finds the number, in E.164 form, where it is not the beginning of a longer one. */
export function mentionOf(phoneNumber: string): RegExp {
  // E.164: of all its characters only the plus sign in front means something in a pattern.
  return new RegExp(`\\${phoneNumber}(?!\\d)`, 'g');
}

function inJson(text: string, change: (value: unknown) => unknown): string {
  return JSON.stringify(change(JSON.parse(text)));
}
