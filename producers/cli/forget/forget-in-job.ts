import { withoutMentions } from './mention.ts';

export interface JobTexts {
  /** JSON text. */
  payload: string;
  /** JSON text. */
  result: string | null;
}

/**
 * A job's payload and result without a person. What is theirs is emptied, and mentions go from wherever else they
 * are.
 *
 * @param withoutTheirs answers what is to stand in place of a value, mostly the value itself; `field` is the name
 *   under which it stands. Sees the payload first, from the outside in.
 */
export function forgetInJob(
  { payload, result }: JobTexts,
  mention: RegExp,
  withoutTheirs: (value: unknown, field?: string) => unknown,
): JobTexts {
  function inValue(original: unknown, field?: string): unknown {
    const value = withoutTheirs(original, field);
    if (typeof value === 'string') return withoutMentions(value, mention, field);
    if (Array.isArray(value)) return value.map((item) => inValue(item, field));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, content]) => [
        withoutMentions(name, mention),
        inValue(content, name),
      ]),
    );
  }

  const emptied = inJson(payload, inValue);
  return { payload: emptied, result: result === null ? null : inJson(result, inValue) };
}

function inJson(text: string, change: (value: unknown) => unknown): string {
  return JSON.stringify(change(JSON.parse(text)));
}
