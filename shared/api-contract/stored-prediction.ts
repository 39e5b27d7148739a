import { z } from 'zod';
import { generationStatuses } from '../database/generation-queue-table.ts';
import { sequencePatternSchema, timePatternSchema } from '../patterns/pattern.ts';

const storedPatternSchema = z.discriminatedUnion('kind', [
  z.object({
    ...timePatternSchema.shape,
    weekdays: z.array(z.int().min(1).max(7)).meta({ description: 'ISO weekdays, Monday is 1' }),
  }),
  z.object(sequencePatternSchema.shape),
]);

const share = z.number().min(0).max(1);

/** A prediction as products read it. */
export const storedPredictionSchema = z
  .object({
    id: z.int(),
    page_key: z.string().meta({ description: 'The activity that is predicted, whose page is made' }),
    pattern: storedPatternSchema.nullable().meta({
      description: 'What the user tends to do; null when another system wrote it in a form of its own',
    }),
    confidence: share.meta({ description: "As verified on the user's own days" }),
    claimed_confidence: share
      .nullable()
      .meta({ description: 'What the model that proposed the pattern believed; never used' }),
    reason: z.string().nullable().meta({ description: 'Why, in the words of that model' }),
    proposed_by: z.string().nullable().meta({ description: 'together-<model> or baseline-<version>' }),
    hits: z
      .int()
      .nullable()
      .meta({ description: 'How often it held, on days that did not choose the pattern' }),
    occasions: z.int().nullable().meta({ description: 'How often it could have held on those days' }),
    status: z.enum(generationStatuses).meta({
      description:
        'Of its page. expired: the window had passed before the page was made; failed: no page is made unless an ' +
        'operator retries the job',
    }),
    window_start: z.iso.datetime(),
    window_end: z.iso.datetime().meta({ description: 'The end does not belong to the window' }),
    came_true: z.boolean().nullable().meta({
      description: 'Null until it is scored, and when what would have led to it was not done',
    }),
    scored_at: z.iso.datetime().nullable(),
    job_id: z.uuid().nullable().meta({ description: 'The job that makes the page' }),
  })
  .meta({ id: 'StoredPrediction', description: 'What a user is expected to need, and what came of that' });

export type StoredPrediction = z.output<typeof storedPredictionSchema>;

/** How often predictions of a user came true that were stated at so much. */
export const hitRateSchema = z.object({
  lower: share.meta({ description: 'A tenth of stated confidence, this included' }),
  upper: share.meta({ description: 'Not included, but in the last tenth' }),
  scored: z.int().min(1),
  came_true: z.int().min(0),
  realised: share,
});

export type HitRate = z.output<typeof hitRateSchema>;

export const predictionListSchema = z.object({
  predictions: z.array(storedPredictionSchema),
  hit_rate: z.array(hitRateSchema).meta({
    description:
      'How often predictions of this user came true, by tenths of stated confidence; tenths without a scored ' +
      'prediction are left out',
  }),
  next_cursor: z.int().nullable(),
});
