import { z } from 'zod';

const counts = { n_samples: z.int(), n_features: z.int() };

/** Document 003's answer, for one row or several, in their order. */
export const causalPredictionSchema = z.object({
  causal_effects: z.union([z.array(z.number()), z.array(z.array(z.number()))]).meta({
    description:
      'A number for each treatment; of several rows a list for each row, unless there is one treatment',
  }),
  model_type: z.literal('hybrid_causal_model'),
  ...counts,
  regime_probabilities: z.array(z.array(z.number())),
  dominant_regime: z
    .array(z.int())
    .meta({ description: 'The place of the likeliest regime, from 0; of equals the first' }),
  uncertainty: z.array(z.number()).meta({ description: 'A standard deviation for each row' }),
});

/** What a model of any kind says of one row or several. */
export const modelPredictionSchema = z.union([
  causalPredictionSchema,
  z.object({
    predictions: z.array(z.number()).meta({ description: 'A calibrated probability for each row' }),
    model_type: z.literal('binary_classifier'),
    ...counts,
  }),
]);

export type ModelPrediction = z.output<typeof modelPredictionSchema>;
