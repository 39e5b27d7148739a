import { z } from 'zod';
import { insightSchema } from '../contracts/churn-insight.ts';

/** The insights about an entity, newest first. */
export const insightListSchema = z.object({
  insights: z.array(insightSchema),
  next_cursor: z.string().nullable(),
});
