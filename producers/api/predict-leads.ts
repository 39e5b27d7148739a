import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { leadBatchSchema, leadModelId, leadScoring } from '../../shared/contracts/lead-scoring.ts';
import { ModelNotReadyError } from '../../shared/errors/job-error.ts';
import type { ReadLeadModels } from './lead-model-reader.ts';
import { loadedVersions } from './loaded-versions.ts';
import { problemFromIssues } from '../../shared/http/problem.ts';
import { StillQueuedError } from './still-queued-error.ts';
import {
  acceptAndWait,
  longestWaitMs,
  problemFromFailure,
  waitForResult,
  type SubmitDependencies,
} from './submit-job.ts';

const leadIdsSchema = leadBatchSchema.shape.lead_ids;
const wrappedSchema = z.object(
  { lead_ids: leadIdsSchema },
  { error: 'must be an array of lead ids, or an object with such an array as lead_ids' },
);

/** Both forms in which document 004 sends a batch. */
export const leadBatchBodySchema = z.union([leadIdsSchema, wrappedSchema]);

export interface PredictLeadsDependencies extends SubmitDependencies {
  readLeadModels: ReadLeadModels;
}

export interface LeadsAnswer {
  jobId: string;
  body: Record<string, unknown>;
}

/**
 * Scores a batch of leads through the queue while its caller waits. A repetition under an idempotency key whose first
 * request was over too early waits for the same job.
 *
 * @throws ProblemError 413 or 422 for the body; what became of a job that failed
 * @throws ModelNotReadyError when no worker has a model, StoreUnavailableError: nothing was accepted
 * @throws StillQueuedError when the job is not done in time
 */
export async function predictLeads(
  request: FastifyRequest,
  reply: FastifyReply,
  dependencies: PredictLeadsDependencies,
): Promise<LeadsAnswer> {
  const payload = { lead_ids: leadIdsOf(request.body) };
  const versions = loadedVersions(await dependencies.readLeadModels());
  if (versions.length === 0) throw new ModelNotReadyError(leadModelId);

  const caller = { request, reply, waitMs: longestWaitMs };
  const { jobId, ...submission } = await acceptAndWait(leadScoring, payload, caller, dependencies);
  const settled =
    submission.settled ?? (submission.isRepetition ? await waitAgain(jobId, reply, dependencies) : undefined);
  if (settled?.error) throw problemFromFailure(settled.error, jobId);
  if (settled?.state !== 'completed') {
    throw new StillQueuedError(jobId, { wasEnded: dependencies.stopping.aborted || reply.raw.closed });
  }
  const result = z.record(z.string(), z.unknown()).parse(settled.result);
  // The id under which the job was accepted: telemetry has the same, and a repetition answers the same.
  return { jobId, body: { ...result, request_id: settled.requestId ?? request.id } };
}

/**
 * Parsed here, so that problems point into the body as it came.
 *
 * @throws ProblemError
 */
function leadIdsOf(body: unknown): string[] {
  const parsed = Array.isArray(body)
    ? leadIdsSchema.safeParse(body)
    : wrappedSchema.transform(({ lead_ids }) => lead_ids).safeParse(body);
  if (!parsed.success) throw problemFromIssues(parsed.error.issues);
  return parsed.data;
}

async function waitAgain(jobId: string, reply: FastifyReply, dependencies: PredictLeadsDependencies) {
  const record = await dependencies.ledger.read(jobId);
  return record?.state === 'accepted' ? waitForResult(jobId, reply, longestWaitMs, dependencies) : record;
}
