import { patternSchema, type Pattern } from './pattern.ts';

/** A stored pattern, from its JSON; undefined where another system wrote something else. */
export function parsePattern(text: string): Pattern | undefined {
  try {
    return patternSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
