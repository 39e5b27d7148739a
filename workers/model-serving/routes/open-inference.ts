import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ModelNotReadyError } from '../../../shared/errors/job-error.ts';
import { createErrorHandler, type ErrorFormat } from '../../../shared/http/create-error-handler.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { ProblemError, problemFromIssues } from '../../../shared/http/problem.ts';
import type { ModelInfo } from '../../../shared/models/served-model.ts';
import type { Logger } from '../../../shared/telemetry/create-logger.ts';
import { featuresHeader, featuresHeaderName } from '../features-header.ts';
import { healthOf } from '../models-health.ts';
import type { HostedModel } from '../open-served-models.ts';
import { openRequestSignal } from '../request-signal.ts';
import { maxRowsPerRequest, scoreRequest } from '../score-request.ts';
import { inferRequestSchema, inputsOf, outputsOf, rowsOfTensors, toTensors } from '../tensors.ts';
import { toServingProblem } from '../to-serving-problem.ts';
import { requireModel } from './models.ts';
import type { PredictDependencies } from './predict.ts';

/** The protocol knows no problem details, and one status for all that is wrong with a request. */
const errorFormat: ErrorFormat = {
  contentType: 'application/json',
  statusOf: ({ status }) => (status === 422 ? 400 : status),
  bodyOf: ({ message }) => ({ error: message }),
};

const paramsSchema = z.object({ model: z.string(), version: z.string().optional() });

type Target = z.output<typeof paramsSchema>;

/**
 * The Open Inference Protocol, version 2, over HTTP, so that its clients can ask the same models.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */
export async function addInferenceRoutes(
  server: HttpServer,
  { models, deadlineMs, log }: PredictDependencies & { log: Logger },
): Promise<void> {
  const tags = ['open inference protocol'];
  const open = { scope: 'open' as const };

  /** @throws ProblemError 404, ModelNotReadyError */
  function find({ model, version }: Target): { hosted: HostedModel; loaded: ModelInfo } {
    const hosted = requireModel(models, model);
    const loaded = hosted.served.current();
    if (!loaded) throw new ModelNotReadyError(model);
    requireVersion(loaded, version);
    return { hosted, loaded };
  }

  await server.register(
    async (scope: HttpServer) => {
      scope.setErrorHandler<Error>(
        createErrorHandler({ log, ownProblem: toServingProblem, format: errorFormat }),
      );

      scope.get('/', { schema: { tags, summary: 'The server' } }, () => ({
        name: 'presage',
        version: '2',
        extensions: [],
      }));
      scope.get(
        '/health/live',
        { config: open, schema: { tags, summary: 'Whether the server answers' } },
        () => ({ live: true }),
      );
      scope.get(
        '/health/ready',
        { config: open, schema: { tags, summary: 'Whether models answer' } },
        async (_request, reply) => {
          const ready = healthOf(models).state !== 'failed';
          await reply.code(ready ? 200 : 503).send({ ready });
        },
      );

      for (const path of ['/models/:model', '/models/:model/versions/:version']) {
        scope.get(
          path,
          { schema: { tags, summary: 'What a model takes and what it answers', params: paramsSchema } },
          ({ params }) => {
            const { manifest } = find(params).loaded;
            return {
              name: params.model,
              versions: [manifest.version],
              platform: 'onnxruntime_onnx',
              inputs: inputsOf(manifest),
              outputs: outputsOf(manifest),
            };
          },
        );
        scope.get(
          `${path}/ready`,
          { schema: { tags, summary: 'Whether a model answers', params: paramsSchema } },
          async ({ params }, reply) => {
            const { served } = requireModel(models, params.model);
            const loaded = served.current();
            if (loaded) requireVersion(loaded, params.version);
            await reply.code(loaded ? 200 : 503).send({ name: params.model, ready: loaded !== undefined });
          },
        );
        scope.post(
          `${path}/infer`,
          {
            config: { scope: 'produce' },
            schema: {
              tags,
              summary: 'What a model says of rows',
              params: paramsSchema,
              body: inferRequestSchema,
            },
          },
          async (request, reply) => {
            const body = parseBody(request);
            const { hosted, loaded } = find(request.params);
            using deadline = openRequestSignal(request, reply, deadlineMs);
            const { model, answers, treatment } = await scoreRequest(request.params.model, hosted, {
              rows: rowsOfTensors(loaded.manifest, body.inputs, maxRowsPerRequest),
              whenMissing: body.parameters?.missing ?? 'reject',
              pointerTo: (row, column) => `${column}[${row}]`,
              signal: deadline.signal,
            });
            const header = featuresHeader(treatment);
            if (header !== undefined) reply.header(featuresHeaderName, header);
            const asked = body.outputs?.map(({ name }) => name);
            const outputs = toTensors(model.manifest, answers);
            await reply.send({
              model_name: request.params.model,
              model_version: model.manifest.version,
              ...(body.id === undefined ? {} : { id: body.id }),
              outputs: asked ? asked.map((name) => requireOutput(outputs, name)) : outputs,
            });
          },
        );
      }
    },
    { prefix: '/v2' },
  );
}

/** @throws ProblemError 404 for a version that is not the one that answers */
function requireVersion({ manifest }: ModelInfo, version: string | undefined): void {
  if (version === undefined || version === manifest.version) return;
  throw new ProblemError(
    'NOT_FOUND',
    `This version of ${manifest.model_id} does not answer: ${manifest.version} does.`,
  );
}

/** @throws ProblemError 422 */
function parseBody(request: FastifyRequest): z.output<typeof inferRequestSchema> {
  const parsed = inferRequestSchema.safeParse(request.body);
  if (parsed.success) return parsed.data;
  throw problemFromIssues(parsed.error.issues);
}

/** @throws ProblemError 422 */
function requireOutput<Output extends { name: string }>(outputs: readonly Output[], name: string): Output {
  const output = outputs.find((each) => each.name === name);
  if (output) return output;
  throw new ProblemError('VALIDATION_ERROR', 'The model has no such output; its metadata lists them.');
}
