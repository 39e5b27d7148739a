import { z } from 'zod';
import { problemSchema } from '../../../shared/api-contract/problem-schema.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import type { PredictionReader } from '../prediction-reader.ts';
import {
  predictionListSchema,
  type HitRate,
  type StoredPrediction,
} from '../../../shared/api-contract/stored-prediction.ts';

export interface PredictionRouteDependencies {
  predictions: PredictionReader;
}

const examplePrediction: StoredPrediction = {
  id: 1_207,
  page_key: 'dashboard',
  pattern: {
    kind: 'time',
    activity: 'dashboard',
    weekdays: [1, 2, 3, 4, 5],
    hour_start: 9,
    hour_end: 10,
  },
  confidence: 0.84,
  claimed_confidence: 0.95,
  reason: 'Opens the dashboard at the beginning of nearly every working day',
  proposed_by: 'together-meta-llama/Llama-3.3-70B-Instruct-Turbo',
  hits: 18,
  occasions: 20,
  status: 'completed',
  window_start: '2026-11-20T08:00:00.000Z',
  window_end: '2026-11-20T09:00:00.000Z',
  came_true: true,
  scored_at: '2026-11-20T09:00:02.310Z',
  job_id: '0199b7a0-0000-7000-8000-000000000001',
};

const exampleHitRate: HitRate = { lower: 0.8, upper: 0.9, scored: 20, came_true: 17, realised: 0.85 };

export function addPredictionRoutes(server: HttpServer, { predictions }: PredictionRouteDependencies): void {
  server.get(
    '/v1/predictions/:user_id',
    {
      schema: {
        tags: ['predictions'],
        summary: 'What a user is expected to need, newest first, and how often that came true',
        description: 'A user whom nobody knows has none: that is an empty list.',
        params: z.object({ user_id: z.string().min(1).max(128) }),
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(100).default(20),
          cursor: z.coerce
            .number()
            .int()
            .min(1)
            .optional()
            .meta({ description: '`next_cursor` of the page before' }),
        }),
        response: {
          200: predictionListSchema.meta({
            examples: [{ predictions: [examplePrediction], hit_rate: [exampleHitRate], next_cursor: null }],
          }),
          401: problemSchema,
          403: problemSchema,
          422: problemSchema,
          500: problemSchema,
          503: problemSchema,
        },
      },
    },
    async (request) => {
      const { user_id: userId } = request.params;
      const { limit, cursor } = request.query;
      const list = await predictions.list(userId, { limit, before: cursor });
      const hitRate = await predictions.hitRates(userId);
      return { predictions: list.predictions, hit_rate: hitRate, next_cursor: list.nextCursor };
    },
  );
}
