import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { problemSchema } from '../../../shared/api-contract/problem-schema.ts';
import {
  bulkErrorCodes,
  leadBulkSchema,
  leadPredictionSchema,
  leadScoring,
  maxLeadsPerBulk,
  exampleLeadIds,
} from '../../../shared/contracts/lead-scoring.ts';
import { splitBulk } from '../../../shared/leads/split-bulk.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { idempotencyKeyOf } from '../idempotency-key.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import type { ReadBulkScores } from '../read-bulk-scores.ts';
import { maxBulkBytes, readLeadIds } from '../read-lead-ids.ts';
import { submitHeadersSchema, submitResponses, type SubmitDependencies } from '../submit-job.ts';

export interface LeadScoreRouteDependencies extends Pick<
  SubmitDependencies,
  'enqueue' | 'ledger' | 'queueLimit'
> {
  readBulkScores: ReadBulkScores;
}

const ndjson = 'application/x-ndjson';
const tags = ['lead scores'];
const leadIdsSchema = z.array(z.string()).min(1).max(maxLeadsPerBulk);
const bodySchema = z
  .union([z.object({ lead_ids: leadIdsSchema }), leadIdsSchema])
  .meta({ examples: [{ lead_ids: exampleLeadIds }, exampleLeadIds] });

const scoreLineSchema = leadPredictionSchema.extend({ model_version: z.string() });
const errorLineSchema = z.object({ lead_id: z.string(), code: z.enum(bulkErrorCodes), message: z.string() });

/** Scoring of very many leads, which nobody waits for, and reading what came of it. */
export async function addLeadScoreRoutes(
  server: HttpServer,
  dependencies: LeadScoreRouteDependencies,
): Promise<void> {
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The body is read by the handler while it comes in.
    scope.addContentTypeParser(['application/json', ndjson], (_request, body, done) => done(null, body));
    scope.post(
      '/v1/lead-scores',
      {
        bodyLimit: maxBulkBytes,
        config: { scope: 'produce' },
        schema: {
          tags,
          summary: 'Score up to 1,000,000 leads',
          description:
            'Always queued. The body may have 64 MiB: JSON, or NDJSON with an id or an object with a `lead_id` on each ' +
            'line. Leads are scored in chunks of 2,000; the progress of the job is how many of them are settled, its ' +
            'result a summary. An id that is named twice is scored once.',
          consumes: ['application/json', ndjson],
          headers: submitHeadersSchema,
          body: bodySchema,
          response: submitResponses,
        },
      },
      async (request, reply) => {
        try {
          await submitBulk(request, reply, dependencies);
        } catch (error) {
          // What is left of the body is not read, so the connection is good for nothing else.
          if (!request.raw.readableEnded) {
            reply.header('connection', 'close');
            request.raw.resume();
          }
          throw error;
        }
      },
    );
  });

  server.get(
    '/v1/lead-scores/:job_id',
    {
      schema: {
        tags,
        summary: 'The scores of a bulk, as NDJSON in the order of the request',
        description:
          'One line for each lead: a score, or an error with its `code`. While the job runs, the leads of the chunks ' +
          'that are settled.',
        params: z.object({ job_id: z.string() }),
        produces: [ndjson],
        response: {
          200: z.union([scoreLineSchema, errorLineSchema]),
          401: problemSchema,
          403: problemSchema,
          404: problemSchema,
          503: problemSchema,
        },
      },
    },
    async (request, reply) => {
      const { job_id: jobId } = request.params;
      const job = z.uuid().safeParse(jobId).success ? await dependencies.ledger.read(jobId) : undefined;
      if (job?.queue !== leadScoring.name || !leadBulkSchema.safeParse(job.payload).success) {
        throw new ProblemError('NOT_FOUND', 'There is no job with this id that scores leads in bulk.');
      }
      await sendLines(reply, dependencies.readBulkScores(jobId));
    },
  );
}

/** Sends a part at a time, and reads the next one only when this one has been taken. */
async function sendLines(reply: FastifyReply, parts: AsyncIterable<string>): Promise<void> {
  const lines = Readable.from(parts, { highWaterMark: 1 });
  await reply.type(ndjson).header('cache-control', 'no-store').send(lines);
}

async function submitBulk(
  request: FastifyRequest,
  reply: FastifyReply,
  { enqueue, queueLimit }: LeadScoreRouteDependencies,
): Promise<void> {
  const key = idempotencyKeyOf(request);
  if (Number(request.headers['content-length'] ?? 0) > maxBulkBytes) {
    throw new ProblemError('PAYLOAD_TOO_LARGE', 'The body is larger than 64 MiB.');
  }
  await queueLimit.assertRoom(leadScoring.name);
  const isNdjson = request.headers['content-type']?.startsWith(ndjson) === true;
  const { payload, children, bodyHash } = await splitBulk(readLeadIds(request.raw, isNdjson));
  const outcome = await enqueue.enqueueBulk(
    leadScoring,
    { payload, children },
    {
      requestId: request.id,
      ...(request.span?.traceparent === undefined ? {} : { traceparent: request.span.traceparent }),
    },
    key === undefined ? undefined : { scope: request.caller, key, answerWithinMs: 0, bodyHash },
  );
  if (outcome.kind === 'mismatch') {
    throw new ProblemError('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key was used with another body.');
  }
  if (outcome.kind === 'in-progress') {
    throw new ProblemError(
      'IN_PROGRESS',
      'The first request with this Idempotency-Key is still being answered.',
    );
  }
  const { jobId } = outcome;
  const statusUrl = `/v1/jobs/${jobId}`;
  await reply
    .code(202)
    .header('location', statusUrl)
    .send({ job_id: jobId, queue: leadScoring.name, state: 'accepted', status_url: statusUrl });
}
