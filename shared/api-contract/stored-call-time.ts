import { z } from 'zod';
import {
  callWindowSchema,
  optimalCallTimeSchema,
  predictionSources,
} from '../contracts/call-time-prediction.ts';

export const storedCallTimeSchema = z
  .object({
    phoneNumber: z.string(),
    contactId: z.string(),
    timezone: z.string(),
    optimalCallTime: optimalCallTimeSchema,
    source: z.enum(predictionSources),
    next_call_window: callWindowSchema,
    job_id: z.uuid(),
    predicted_at: z.iso.datetime(),
  })
  .meta({ id: 'StoredCallTime', description: 'The newest prediction for a phone number' });

export type StoredCallTime = z.output<typeof storedCallTimeSchema>;
