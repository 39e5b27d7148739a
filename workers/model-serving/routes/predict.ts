import { z } from 'zod';
import { featureRowSchema } from '../../../shared/contracts/model-serving.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import { modelPredictionSchema } from '../../../shared/api-contract/model-prediction.ts';
import { problemSchema } from '../../../shared/api-contract/problem-schema.ts';
import type { FeatureRow } from '../../../shared/models/prepare-features.ts';
import { featuresHeader, featuresHeaderName } from '../features-header.ts';
import { openRequestSignal } from '../request-signal.ts';
import { maxRowsPerRequest, scoreRequest } from '../score-request.ts';
import { toPrediction } from '../to-prediction.ts';
import { modelParamsSchema, readProblems, requireModel, type ModelRouteDependencies } from './models.ts';

export interface PredictDependencies extends ModelRouteDependencies {
  /** A request that is not answered by then gets no answer, in milliseconds. */
  deadlineMs: number;
}

const querySchema = z.object({
  missing: z
    .enum(['impute'])
    .optional()
    .meta({
      description:
        'impute: what a row lacks, or what no column can take, is filled by the strategies of the model. The header ' +
        'X-Presage-Features names what was filled',
    }),
});

/** Document 003: what a model says of one row, an object, or of several, an array of them. */
export function addPredictRoute(server: HttpServer, { models, deadlineMs }: PredictDependencies): void {
  server.post(
    '/predict/:model_id',
    {
      config: { scope: 'produce' },
      schema: {
        tags: ['predictions'],
        summary: `What a model says of one row, or of an array of up to ${maxRowsPerRequest}`,
        description:
          'Features by the names that /models/{id}/info lists; others are ignored. More rows go through the queue. ' +
          'The header X-Presage-Deadline-Ms says after how long the answer is worth nothing any more.',
        params: modelParamsSchema,
        querystring: querySchema,
        body: z.union([featureRowSchema, z.array(featureRowSchema).min(1).max(maxRowsPerRequest)]),
        response: {
          200: modelPredictionSchema,
          400: problemSchema,
          413: problemSchema,
          415: problemSchema,
          422: problemSchema,
          500: problemSchema,
          504: problemSchema,
          ...readProblems,
        },
      },
    },
    async (request, reply) => {
      const { model_id: modelId } = request.params;
      const hosted = requireModel(models, modelId);
      using deadline = openRequestSignal(request, reply, deadlineMs);
      const rows = rowsOf(request.body);
      const isSingle = !Array.isArray(request.body);
      const { model, answers, treatment } = await scoreRequest(modelId, hosted, {
        rows,
        whenMissing: request.query.missing ?? 'reject',
        pointerTo: (row, column) => `#${isSingle ? '' : `/${row}`}/${escapeToken(column)}`,
        signal: deadline.signal,
      });
      const header = featuresHeader(treatment);
      if (header !== undefined) reply.header(featuresHeaderName, header);
      await reply.send(toPrediction(model.manifest, answers));
    },
  );
}

/** @throws ProblemError 413 or 422 */
function rowsOf(body: unknown): readonly FeatureRow[] {
  if (!Array.isArray(body)) return [requireRow(body, '#')];
  if (body.length === 0) {
    throw new ProblemError('VALIDATION_ERROR', '#: must have at least one row', {
      errors: [{ pointer: '#', detail: 'must have at least one row' }],
    });
  }
  if (body.length > maxRowsPerRequest) {
    throw new ProblemError(
      'PAYLOAD_TOO_LARGE',
      `A request has at most ${maxRowsPerRequest} rows; more go through the queue model-serving.`,
    );
  }
  return body.map((row, place) => requireRow(row, `#/${place}`));
}

function requireRow(value: unknown, pointer: string): FeatureRow {
  if (isRow(value)) return value;
  const detail = 'must be an object with the features by name';
  throw new ProblemError('VALIDATION_ERROR', `${pointer}: ${detail}`, { errors: [{ pointer, detail }] });
}

function isRow(value: unknown): value is FeatureRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escapeToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
