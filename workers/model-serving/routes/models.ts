import { z } from 'zod';
import { ModelNotReadyError } from '../../../shared/errors/job-error.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import { problemSchema } from '../../../shared/api-contract/problem-schema.ts';
import { modelInfoSchema } from '../../../shared/api-contract/served-model-info.ts';
import {
  servedModelsHealthSchema,
  servedModelsSchema,
  type ServedModelsHealth,
} from '../../../shared/api-contract/served-models.ts';
import { describeModel } from '../describe-model.ts';
import { healthOf, type ModelsHealth } from '../models-health.ts';
import type { HostedModel, ServedModels } from '../open-served-models.ts';

export interface ModelRouteDependencies {
  models: Pick<ServedModels, 'get' | 'list' | 'isKnown'>;
}

export const modelParamsSchema = z.object({ model_id: z.string() });

export const readProblems = {
  401: problemSchema,
  403: problemSchema,
  404: problemSchema,
  503: problemSchema,
};

const statusOf: Record<ModelsHealth['state'], ServedModelsHealth['status']> = {
  ok: 'healthy',
  degraded: 'degraded',
  failed: 'unhealthy',
};

/** Document 003: what is served, and how it is. */
export function addModelRoutes(server: HttpServer, { models }: ModelRouteDependencies): void {
  const tags = ['models'];

  server.get(
    '/health',
    {
      config: { scope: 'open' },
      schema: {
        tags,
        summary: 'Whether models answer',
        response: { 200: servedModelsHealthSchema, 503: servedModelsHealthSchema },
      },
    },
    async (_request, reply) => {
      const health = healthOf(models);
      await reply.code(health.state === 'failed' ? 503 : 200).send({
        status: statusOf[health.state],
        models_loaded: health.models.filter(({ version }) => version !== null).length,
        models: health.models,
      });
    },
  );

  server.get(
    '/models',
    {
      schema: {
        tags,
        summary: 'The models that answer',
        response: { 200: servedModelsSchema, ...readProblems },
      },
    },
    () => ({
      models: models.list().flatMap(([, { served }]) => {
        const loaded = served.current();
        if (!loaded) return [];
        const { model_id, model_type, version } = loaded.manifest;
        return [{ model_id, model_type, version }];
      }),
    }),
  );

  server.get(
    '/models/:model_id/info',
    {
      schema: {
        tags,
        summary: 'What a model takes and what it answers',
        params: modelParamsSchema,
        response: { 200: modelInfoSchema, ...readProblems },
      },
    },
    ({ params: { model_id: modelId } }) => {
      const loaded = requireModel(models, modelId).served.current();
      if (!loaded) throw new ModelNotReadyError(modelId);
      return describeModel(loaded);
    },
  );
}

/** @throws ProblemError 404 */
export function requireModel(models: Pick<ServedModels, 'get'>, modelId: string): HostedModel {
  const model = models.get(modelId);
  if (model) return model;
  throw new ProblemError('NOT_FOUND', 'No model of this id is registered; /models lists those that answer.');
}
