import { z } from 'zod';

/**
 * What the model is told of one pattern. Both kinds in one: every word of it is paid for with every user, and
 * `readProposals` checks each pattern by the rules of its kind anyway.
 */
const toldSchema = z.object({
  kind: z.enum(['time', 'sequence']),
  activity: z.string(),
  weekdays: z.array(z.int()).optional(),
  hour_start: z.int().optional(),
  hour_end: z.int().optional(),
  after: z.string().optional(),
  within_minutes: z.int().optional(),
  reason: z.string(),
  confidence: z.number(),
});

/**
 * What a model must answer: a list, of whatever. So one pattern that does not fit does not cost the others. A list
 * without the object around it, or as a string, is taken too.
 */
export const proposalAnswerSchema = z.preprocess(
  (value) => (Array.isArray(value) ? { patterns: value } : value),
  z.object({
    patterns: z.preprocess(listInText, z.array(z.unknown().meta(z.toJSONSchema(toldSchema)))),
  }),
);

function listInText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    // Then it is no list, and the answer does not fit.
    return value;
  }
}
