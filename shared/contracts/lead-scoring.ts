import { z } from 'zod';
import { defineQueue } from './define-queue.ts';

/** The model that scores leads. */
export const leadModelId = 'lead-conversion';

/** More leads than this in one batch are refused. */
export const maxLeadsPerBatch = 2_000;

const share = z.number().min(0).max(1);

export const leadPredictionSchema = z.object({
  lead_id: z.string(),
  probability: share.meta({ description: 'That the lead converts, calibrated' }),
  confidence: share.meta({ description: "How sure the model is, by the method of the model's manifest" }),
  feature_coverage: share.meta({
    description: "The share of the model's inputs for which the lead has a usable value of its own",
  }),
  degraded: z.boolean().meta({ description: 'The coverage is too low for the score to be relied on' }),
});

export type LeadPrediction = z.output<typeof leadPredictionSchema>;

export const leadErrorCodes = ['INVALID_LEAD_ID', 'LEAD_NOT_FOUND', 'FEATURE_REJECTED'] as const;
export type LeadErrorCode = (typeof leadErrorCodes)[number];

export const leadErrorSchema = z.object({
  lead_id: z.string(),
  code: z.enum(leadErrorCodes),
  message: z.string(),
});

export type LeadError = z.output<typeof leadErrorSchema>;

export const calibrationMetadataSchema = z.object({
  method: z.string(),
  /** Numbers by name; for straight lines between knots, the knots. */
  parameters: z.record(z.string(), z.union([z.number(), z.array(z.record(z.string(), z.number()))])),
  fitted_at: z.iso.datetime(),
  calibration_error: share.meta({
    description: 'Mean gap of stated and realised probability on rows that the model had not seen',
  }),
});

/** Document 004's own. */
export const exampleLeadIds = ['lead_1', 'lead_2'];

/** A batch of leads that somebody waits for. */
export const leadBatchSchema = z.object({
  lead_ids: z.array(z.string()).min(1).max(maxLeadsPerBatch),
});

export type LeadBatch = z.output<typeof leadBatchSchema>;

/** Every lead of a batch once, in the order of the request; one that is named twice is scored once. */
export const leadScoresSchema = z.object({
  predictions: z.array(leadPredictionSchema),
  errors: z.array(leadErrorSchema),
  schema_version: z.literal('v1'),
  contract_version: z.literal(1),
  model_id: z.string(),
  model_version: z.string(),
  model_sha256: z.string().meta({ description: "SHA-256 of the model's manifest, in hexadecimal" }),
  calibration_metadata: calibrationMetadataSchema,
});

export type LeadScores = z.output<typeof leadScoresSchema>;

/** More leads than this in one bulk request are refused. */
export const maxLeadsPerBulk = 1_000_000;

/** A part of a bulk: a job that writes its scores under its parent's id and answers only how many there are. */
export const leadChunkSchema = leadBatchSchema.extend({
  first_position: z.int().min(0).meta({ description: 'Where the bulk names the first of them, from 0' }),
});

export type LeadChunk = z.output<typeof leadChunkSchema>;

/** A bulk itself: its leads are in its chunks, which are accepted together with it. */
export const leadBulkSchema = z.strictObject({
  total: z.int().min(1).meta({ description: 'Leads, each once' }),
  chunks: z.int().min(1),
});

export type LeadBulk = z.output<typeof leadBulkSchema>;

/** Why a lead of a bulk has no score: also because the job of its chunk failed or was cancelled. */
export const bulkErrorCodes = [...leadErrorCodes, 'NOT_SCORED'] as const;

const countsSchema = z.object({
  scored: z.int().min(0),
  errors: z
    .partialRecord(z.enum(bulkErrorCodes), z.int().min(1))
    .meta({ description: 'How many leads have no score, by code' }),
});

export const leadChunkResultSchema = countsSchema;

export type LeadChunkResult = z.output<typeof leadChunkResultSchema>;

export const leadBulkResultSchema = countsSchema.extend({
  total: z.int().min(1).meta({ description: 'Leads, each once: those with a score and those with an error' }),
  failed_chunks: z.int().min(0),
  results_url: z.string().meta({ description: 'Where the scores are read, as NDJSON' }),
});

export type LeadBulkResult = z.output<typeof leadBulkResultSchema>;

/** Which form it is meant to be shows in its fields, so that what is wrong is told about that one. */
const payloadSchema = z.unknown().transform((input, context): LeadBatch | LeadChunk | LeadBulk => {
  const parsed = payloadSchemaOf(input).safeParse(input);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.addIssue({ ...issue, input: undefined });
  return z.NEVER;
});

function payloadSchemaOf(input: unknown) {
  if (typeof input !== 'object' || input === null) return leadBatchSchema;
  if ('first_position' in input) return leadChunkSchema;
  return 'total' in input && !('lead_ids' in input) ? leadBulkSchema : leadBatchSchema;
}

/** Document 004: how likely each lead converts. */
export const leadScoring = defineQueue({
  name: 'lead-scoring',
  payload: payloadSchema,
  result: z.union([leadScoresSchema, leadBulkResultSchema, leadChunkResultSchema]),
  attempts: 5,
  deadlineMs: 60_000,
  // Of a batch; the chunks of a bulk yield to them.
  lane: 'interactive',
});
