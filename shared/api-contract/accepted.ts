import { z } from 'zod';

export const acceptedSchema = z
  .object({
    job_id: z.uuid(),
    queue: z.string(),
    state: z.literal('accepted'),
    status_url: z.string(),
  })
  .meta({ id: 'Accepted', description: 'The job is committed and will be done' });
