import { z } from 'zod';
import { leadScoresSchema } from '../contracts/lead-scoring.ts';

export const leadPredictionsSchema = leadScoresSchema
  .extend({ request_id: z.string().meta({ description: 'Also in the logs and in the telemetry' }) })
  .meta({ id: 'LeadPredictions', description: 'Every lead once, under `predictions` or under `errors`' });
