import { z } from 'zod';
import { defineQueue } from './define-queue.ts';

export const generatedPageSchema = z.object({
  generation_id: z.int().min(1),
  page_key: z.string(),
  status: z
    .enum(['completed', 'expired'])
    .meta({ description: 'expired: the window had passed, so no page was made' }),
  model_used: z.string().nullable(),
  degraded: z.boolean().meta({ description: 'Whether a rule made the page because no model could' }),
  expires_at: z.iso.datetime().nullable(),
});

export type GeneratedPage = z.output<typeof generatedPageSchema>;

/** Document 001, its second half: makes the page of one row of `generation_queue`. */
export const contentGeneration = defineQueue({
  name: 'content-generation',
  payload: z.object({ generation_id: z.int().min(1).meta({ description: 'Row of generation_queue' }) }),
  result: generatedPageSchema,
  attempts: 5,
  // Two vendors, each asked twice for 60 s at most, and what a call of another worker is waited for.
  deadlineMs: 6 * 60_000,
  lane: 'bulk',
  identityOf: ({ generation_id }) => generation_id,
});
