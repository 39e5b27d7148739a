import { z } from 'zod';
import { defineQueue } from './define-queue.ts';

/** More rows than this in a payload are refused; a file may have more. */
export const maxInlineRows = 10_000;

const modelIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, {
  error: 'must be 1 to 64 lower-case letters, digits or hyphens, no hyphen first',
});

/** Features by the names of the model's columns. */
export const featureRowSchema = z.record(z.string(), z.unknown());

export const missingSchema = z.enum(['reject', 'impute']).default('reject').meta({
  description:
    'What becomes of a row that lacks a usable value: it is rejected, or the strategy of the manifest fills it',
});

/** Rows of one model, in the payload or in a file. */
const payloadSchema = z
  .strictObject({
    model_id: modelIdSchema,
    rows: z.array(featureRowSchema).min(1).max(maxInlineRows).optional(),
    rows_key: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .meta({ description: 'Of a file of NDJSON in GOLD_BUCKET or, without one, in the artifact store' }),
    missing: missingSchema,
  })
  .refine(({ rows, rows_key }) => (rows === undefined) !== (rows_key === undefined), {
    error: 'must have either rows or rows_key',
  });

export const bulkPredictionSchema = z.object({
  model_id: z.string(),
  model_version: z.string(),
  rows: z.int().min(0),
  scored: z.int().min(0),
  rejected: z.int().min(0),
  results_key: z.string().meta({
    description: 'Of a file of NDJSON in the artifact store: a line for each row, in order',
  }),
});

export type BulkPrediction = z.output<typeof bulkPredictionSchema>;

/** Document 003 for many rows: what a model says of each. */
export const modelServing = defineQueue({
  name: 'model-serving',
  payload: payloadSchema,
  result: bulkPredictionSchema,
  attempts: 5,
  deadlineMs: 10 * 60_000,
  lane: 'bulk',
});
