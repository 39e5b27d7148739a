import { z } from 'zod';

export const loadedVersionSchema = z.object({
  status: z.enum(['ready', 'degraded']).meta({
    description:
      'degraded: a worker answers with it because the version that is to answer could not be loaded',
  }),
  model_id: z.string(),
  version: z.string(),
  sha256: z.string().meta({ description: "SHA-256 of the model's manifest, in hexadecimal" }),
  n_features: z.int(),
  loaded_at: z.iso.datetime().meta({ description: 'When the first of its workers loaded it' }),
  workers: z.int().meta({ description: 'Processes that answer with it' }),
});

/** A version of a model that answers, in one or more processes. */
export type LoadedVersion = z.output<typeof loadedVersionSchema>;

export const leadModelHealthSchema = loadedVersionSchema
  .omit({ status: true, workers: true })
  .extend({
    status: z.enum(['healthy', 'degraded']).meta({
      description: 'degraded: some worker has no model, or not the one that is to answer',
    }),
    workers: z.object({ ready: z.int(), degraded: z.int(), not_ready: z.int() }),
  })
  .meta({ id: 'LeadModelHealth', description: 'The model that most workers answer with' });

export const leadModelsSchema = z.object({ models: z.array(loadedVersionSchema) });
