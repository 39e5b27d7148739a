import { z } from 'zod';
import { modelKinds } from '../models/model-kinds.ts';

const named = z.object({ name: z.string(), description: z.string() });

const columnSchema = z.discriminatedUnion('type', [
  z.object({
    name: z.string(),
    type: z.literal('numeric'),
    min: z.number().meta({ description: 'Of the training rows, like max and mean' }),
    max: z.number(),
    mean: z.number(),
    missing: z.string().meta({ description: 'What ?missing=impute does: constant, mean, nan or reject' }),
    out_of_range: z.string().meta({ description: 'What becomes of a value beyond min or max' }),
  }),
  z.object({
    name: z.string(),
    type: z.literal('categorical'),
    vocabulary: z.array(z.string()),
    missing: z.string(),
  }),
]);

/** What a caller needs to know of a model; which fields there are beside the first ones depends on its kind. */
export const modelInfoSchema = z.object({
  model_id: z.string(),
  model_type: z.enum(Object.keys(modelKinds)),
  version: z.string(),
  sha256: z.string().meta({ description: "Of the version's manifest, which has the checksums of its files" }),
  description: z.string(),
  trained_at: z.iso.datetime(),
  loaded_at: z.iso.datetime(),
  n_features: z.int(),
  feature_columns: z.array(columnSchema),
  metrics: z.record(z.string(), z.number()),
  data: z.object({ name: z.string(), url: z.string(), licence: z.string(), citation: z.string() }),
  treatments: z.array(named).optional().meta({ description: 'In the order of causal_effects' }),
  regimes: z.array(named).optional().meta({ description: 'In the order of regime_probabilities' }),
  effects: z.object({ estimator: z.string(), outcome: z.string() }).optional(),
  uncertainty: z
    .object({
      description: z.string(),
      of: z.string(),
      level: z.number(),
      realised_coverage: z.number(),
      rows: z.int(),
    })
    .optional(),
  calibration: z.object({ method: z.string(), calibration_error: z.number() }).optional(),
});

export type DescribedModel = z.output<typeof modelInfoSchema>;
