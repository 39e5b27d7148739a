import { z } from 'zod';
import { weightCount } from './describe-evidence.ts';

const weightsSchema = z.array(z.number().finite()).length(weightCount);

/**
 * What holds for patterns of users in general: how much of what a log shows comes true in the week after. A small
 * object that can be kept as JSON; made by `learnPopulation`.
 */
export const populationSchema = z.object({
  version: z.literal(1),
  /** Logistic weights of `describeEvidence`. */
  time: weightsSchema,
  sequence: weightsSchema,
  /** How many past patterns it was learnt from; 0 is the built-in one. */
  examples: z.int().min(0),
});

export type Population = z.output<typeof populationSchema>;

/**
 * For a database that has no past yet. A habit seen on twenty occasions or more counts nearly as it is, four
 * occasions prove little, and what has faded lately counts less.
 */
export const defaultPopulation: Population = {
  version: 1,
  time: [1.1, 0.9, 0.6, 3.5, -1.5, -3],
  sequence: [1, 0.9, 0.6, 3.5, -1.5, -3],
  examples: 0,
};
