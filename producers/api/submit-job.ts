import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { QueueContract } from '../../shared/contracts/define-queue.ts';
import type { JobFailure } from '../../shared/ledger/job-record.ts';
import type { Enqueue } from '../../shared/queue/enqueue.ts';
import type { ResultChannel } from '../../shared/queue/open-result-channel.ts';
import { ProblemError, type ProblemCode } from './problem.ts';

export const longestWaitMs = 30_000;

export const submitQuerySchema = z.object({
  wait_ms: z.coerce.number().int().min(0).max(longestWaitMs).optional().meta({
    description: 'Wait this long for the result, in milliseconds; without it the answer is 202 at once',
  }),
});

export const acceptedSchema = z
  .object({
    job_id: z.uuid(),
    queue: z.string(),
    state: z.literal('accepted'),
    status_url: z.string(),
  })
  .meta({ id: 'Accepted', description: 'The job is committed and will be done' });

export interface SubmitDependencies {
  enqueue: Pick<Enqueue, 'enqueue'>;
  results: ResultChannel;
  /** Aborted when the server stops: waiting requests are answered with 202 then. */
  stopping: AbortSignal;
}

/**
 * Accepts a job and answers 202, or, when the caller waits and the job is done in time, 200 with the
 * worker's result or its error as a problem.
 */
export async function submitJob(
  contract: QueueContract,
  request: FastifyRequest,
  reply: FastifyReply,
  waitMs: number,
  { enqueue, results, stopping }: SubmitDependencies,
): Promise<void> {
  const traceparent = request.headers['traceparent'];
  const job = await enqueue.enqueue(contract, request.body, {
    requestId: request.id,
    ...(typeof traceparent === 'string' && isTraceparent(traceparent) ? { traceparent } : {}),
    ...(waitMs > 0 ? { replyTo: results.name } : {}),
  });
  const statusUrl = `/v1/jobs/${job.id}`;
  if (waitMs > 0) {
    const hungUp = new AbortController();
    reply.raw.once('close', () => hungUp.abort());
    const record = await results.wait(job.id, waitMs, AbortSignal.any([stopping, hungUp.signal]));
    if (record?.state === 'completed') {
      await reply.code(200).header('location', statusUrl).send(record.result);
      return;
    }
    if (record?.error) throw failedJob(record.error, job.id);
  }
  await reply
    .code(202)
    .header('location', statusUrl)
    .send({ job_id: job.id, queue: contract.name, state: 'accepted', status_url: statusUrl });
}

function failedJob(failure: JobFailure, jobId: string): ProblemError {
  const codes: Record<JobFailure['kind'], ProblemCode> = {
    'invalid-input': 'VALIDATION_ERROR',
    permanent: 'INTERNAL_ERROR',
    transient: 'INTERNAL_ERROR',
    'rate-limited': 'RATE_LIMITED',
    unavailable: 'STORE_UNAVAILABLE',
    cancelled: 'CANCELLED',
  };
  return new ProblemError(codes[failure.kind], failure.message, { jobId });
}

/** W3C Trace Context, version 00. */
function isTraceparent(header: string): boolean {
  return /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header);
}
