import type { z } from 'zod';

export type ParsedAnswer<Answer> =
  | { fits: true; answer: Answer }
  /** What is wrong with it: paths and rules, nothing that the model wrote but names of fields. */
  | { fits: false; issues: string[] };

const maxIssues = 20;
const codeFence = /```[a-z]*(.*?)```/gis;

/**
 * What a model wrote, as the answer that it was to be: JSON as it is, in a code fence, from the first brace to the
 * last one in prose, or any object in it. A model's answer is untrusted input: what does not fit the schema is none.
 */
export function parseAnswer<Answer>(text: string, schema: z.ZodType<Answer>): ParsedAnswer<Answer> {
  let issues: string[] | undefined;
  for (const candidate of candidatesIn(text)) {
    let value: unknown;
    try {
      value = JSON.parse(candidate);
    } catch {
      // The next candidate may be JSON. The parser's error would quote the answer.
      continue;
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return { fits: true, answer: parsed.data };
    issues ??= parsed.error.issues.slice(0, maxIssues).map(describeIssue);
  }
  return { fits: false, issues: issues ?? ['the answer is not one complete JSON object'] };
}

function* candidatesIn(text: string): Generator<string> {
  yield text;
  for (const [, fenced = ''] of text.matchAll(codeFence)) yield fenced;
  const first = text.indexOf('{');
  const last = text.lastIndexOf('}');
  if (first !== -1 && last > first) yield text.slice(first, last + 1);
  yield* objectsIn(text);
}

/** Each part from an opening brace to the one that closes it, braces in JSON strings left out. */
function* objectsIn(text: string): Generator<string> {
  let start = -1;
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (isInString) {
      if (character === '\\') index += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"') {
      // Quotation marks of the prose are none of ours.
      isInString = depth > 0;
    } else if (character === '{') {
      if (depth === 0) start = index;
      depth += 1;
    } else if (character === '}' && depth > 0) {
      depth -= 1;
      if (depth === 0) yield text.slice(start, index + 1);
    }
  }
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
}
