import { z } from 'zod';

/** What can be chosen. Which of the open jobs are running is known to Redis, not to the ledger. */
export const listedStates = ['open', 'completed', 'failed', 'cancelled'] as const;

// A form sends every field; an empty one is not chosen.
const chosen = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

export const jobListQuerySchema = z.object({
  search: chosen(z.string().trim().max(256)),
  queue: chosen(z.string().max(64)),
  state: chosen(z.enum(listedStates)),
  parent: chosen(z.uuid()),
  before: chosen(z.uuid()),
});

/** What a list of jobs is asked for, as it stands in its address. */
export type JobListQuery = z.output<typeof jobListQuerySchema>;
