import { isKnownToRuntime } from './is-known-to-runtime.ts';

export type IsTimezone = (text: string) => boolean;

/**
 * Makes the test for IANA names that the runtime knows, however their letters are cased. An offset such as +02:00 is
 * none: it does not know daylight saving. Nor is an abbreviation such as IST or PST, which means several places.
 */
export function createTimezoneNames(): IsTimezone {
  // In lower case, because names are not case-sensitive: at most as many entries as there are zones.
  const known = new Set<string>();

  return (text) => {
    // Names only: the runtime takes offsets such as +02:00 for timezones too.
    if (!/^[A-Za-z][\w+/-]*$/.test(text)) return false;
    const name = text.toLowerCase();
    if (!known.has(name)) {
      if (!isKnownToRuntime(name)) return false;
      known.add(name);
    }
    return true;
  };
}
