import type { FastifyReply } from 'fastify';
import { leadModelHealthSchema, leadModelsSchema } from '../../../shared/api-contract/lead-models.ts';
import { leadPredictionsSchema } from '../../../shared/api-contract/lead-predictions.ts';
import { problemSchema } from '../../../shared/api-contract/problem-schema.ts';
import type { Circuit } from '../../../shared/circuit/create-circuit.ts';
import { exampleLeadIds, leadModelId } from '../../../shared/contracts/lead-scoring.ts';
import { ModelNotReadyError } from '../../../shared/errors/job-error.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { loadedVersions } from '../loaded-versions.ts';
import {
  leadBatchBodySchema,
  predictLeads,
  type LeadsAnswer,
  type PredictLeadsDependencies,
} from '../predict-leads.ts';
import { submitHeadersSchema, submitResponses } from '../submit-job.ts';

export interface AdvancedMlRouteDependencies extends PredictLeadsDependencies {
  /** Of the route that callers are to leave; `undefined` when that one is switched off. */
  legacyCircuit: Circuit | undefined;
}

const predictPath = '/ai/advanced-ml/predict-batch';

/** RFC 9745: since when callers are to leave the legacy route, in seconds since the epoch: 27 January 2025. */
const deprecation = '@1737936000';

// Nobody is told 202: whoever calls gets the result, or learns that it is not there.
const { 202: _accepted, ...problems } = submitResponses;
const predictSchema = {
  headers: submitHeadersSchema,
  body: leadBatchBodySchema.meta({
    examples: [exampleLeadIds, { lead_ids: exampleLeadIds }],
  }),
  response: { 200: leadPredictionsSchema, ...problems, 504: problemSchema },
};
const readProblems = { 401: problemSchema, 403: problemSchema, 503: problemSchema };

/** Document 004: leads scored while the caller waits, and which model scores them. */
export function addAdvancedMlRoutes(server: HttpServer, dependencies: AdvancedMlRouteDependencies): void {
  const { legacyCircuit, readLeadModels, stopping } = dependencies;
  const tags = ['advanced ml'];

  server.post(
    predictPath,
    {
      config: { scope: 'produce' },
      schema: { tags, summary: 'How likely each lead converts; up to 2,000 at once', ...predictSchema },
    },
    async (request, reply) => send(reply, await predictLeads(request, reply, dependencies)),
  );

  server.get(
    '/ai/advanced-ml/health',
    {
      schema: {
        tags,
        summary: 'Whether leads can be scored, and with what',
        response: { 200: leadModelHealthSchema, ...readProblems },
      },
    },
    async () => {
      const reports = await readLeadModels();
      const [first] = loadedVersions(reports);
      if (!first) throw new ModelNotReadyError(leadModelId);
      const count = (status: string) => reports.filter((report) => report.status === status).length;
      const workers = { ready: count('ready'), degraded: count('degraded'), not_ready: count('not_ready') };
      const status = workers.ready === reports.length ? ('healthy' as const) : ('degraded' as const);
      return { ...first, status, workers };
    },
  );

  server.get(
    '/ai/advanced-ml/models',
    {
      schema: {
        tags,
        summary: 'What the workers that score leads have loaded',
        response: { 200: leadModelsSchema, ...readProblems },
      },
    },
    async () => {
      const models = loadedVersions(await readLeadModels());
      if (models.length === 0) throw new ModelNotReadyError(leadModelId);
      return { models };
    },
  );

  if (!legacyCircuit) return;
  server.post(
    '/ai/advanced-ml-legacy/predict-batch',
    {
      config: { scope: 'produce' },
      onRequest: async (_request, reply) => {
        reply.header('deprecation', deprecation);
        reply.header('link', `<${predictPath}>; rel="successor-version"`);
      },
      schema: {
        tags: ['advanced ml (legacy)'],
        deprecated: true,
        summary: `The same as ${predictPath}, which replaces it`,
        description:
          'While scoring keeps failing, answers 503 CIRCUIT_OPEN at once for a while; nothing else answers in its place.',
        ...predictSchema,
      },
    },
    async (request, reply) => {
      const predict = () => predictLeads(request, reply, dependencies);
      await send(reply, await legacyCircuit.execute(predict, stopping));
    },
  );
}

async function send(reply: FastifyReply, { jobId, body }: LeadsAnswer): Promise<void> {
  await reply.code(200).header('location', `/v1/jobs/${jobId}`).send(body);
}
