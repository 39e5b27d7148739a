import { z } from 'zod';

/** What the process model-serving says of itself at `/health`. */
export const servedModelsHealthSchema = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']).meta({
    description:
      'degraded: some model has no version that answers, or not the one that should; unhealthy: none answers',
  }),
  models_loaded: z.int(),
  models: z.array(
    z.object({
      model_id: z.string(),
      status: z.enum(['ready', 'degraded', 'not_ready']),
      version: z.string().nullable(),
    }),
  ),
});

export type ServedModelsHealth = z.output<typeof servedModelsHealthSchema>;

/** The models that answer over HTTP. */
export const servedModelsSchema = z.object({
  models: z.array(z.object({ model_id: z.string(), model_type: z.string(), version: z.string() })),
});
