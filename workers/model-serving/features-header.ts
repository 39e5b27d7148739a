import type { FeatureTreatment } from './check-rows.ts';

/** What was done with the features of a request, for its caller. */
export const featuresHeaderName = 'x-presage-features';

/** A list names no more columns, and none whose name is longer: headers are small. */
const namesTold = 25;
const longestName = 128;

/**
 * The treatment as a dictionary of structured fields (RFC 9651), in which `count` is how many columns it was in all:
 * `imputed=("rate" "spread");count=2, ignored=("note");count=1`. `undefined` when every feature was taken as it came.
 */
export function featuresHeader({ imputed, outOfRange, ignored }: FeatureTreatment): string | undefined {
  const lists: [key: string, names: ReadonlySet<string>][] = [
    ['imputed', imputed],
    ['out_of_range', outOfRange],
    ['ignored', ignored],
  ];
  const told = lists.filter(([, names]) => names.size > 0);
  if (told.length === 0) return undefined;
  return told.map(([key, names]) => `${key}=(${listOf(names)});count=${names.size}`).join(', ');
}

function listOf(names: ReadonlySet<string>): string {
  const short = [...names].filter((name) => name.length <= longestName);
  return short.slice(0, namesTold).map(toItem).join(' ');
}

/** A string of RFC 9651 where its characters allow it, else a display string. */
function toItem(name: string): string {
  if (/^[\x20-\x7e]*$/.test(name)) return `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  const bytes = [...Buffer.from(name)].map((byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x25
      ? String.fromCodePoint(byte)
      : `%${byte.toString(16).padStart(2, '0')}`,
  );
  return `%"${bytes.join('')}"`;
}
