import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { QueueContract } from '../../shared/contracts/define-queue.ts';
import type { JobFailure, JobRecord } from '../../shared/ledger/job-record.ts';
import type { Ledger } from '../../shared/ledger/open-ledger.ts';
import type { QueueLimit } from '../../shared/queue/create-queue-limit.ts';
import type { Enqueue, EnqueueOptions } from '../../shared/queue/enqueue.ts';
import type { ResultChannel } from '../../shared/queue/open-result-channel.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { ProblemError, problemKinds, problemSchema, type ProblemCode } from './problem.ts';

export const longestWaitMs = 30_000;

/** What may pass between the end of the waiting and the answer. */
const answerMarginMs = 5_000;

export const submitQuerySchema = z.object({
  wait_ms: z.coerce.number().int().min(0).max(longestWaitMs).optional().meta({
    description: 'Wait this long for the result, in milliseconds; without it the answer is 202 at once',
  }),
});

export const submitHeadersSchema = z.object({
  'idempotency-key': z
    .string()
    .optional()
    .meta({ description: 'Makes sending the same request again harmless for 24 hours; quoted or bare' }),
});

export const acceptedSchema = z
  .object({
    job_id: z.uuid(),
    queue: z.string(),
    state: z.literal('accepted'),
    status_url: z.string(),
  })
  .meta({ id: 'Accepted', description: 'The job is committed and will be done' });

/** What a route that submits jobs answers, beside 200 with the result. */
export const submitResponses = {
  202: acceptedSchema,
  400: problemSchema,
  401: problemSchema,
  403: problemSchema,
  409: problemSchema,
  413: problemSchema,
  415: problemSchema,
  422: problemSchema,
  429: problemSchema,
  500: problemSchema,
  503: problemSchema,
};

export interface SubmitDependencies {
  enqueue: Pick<Enqueue, 'enqueue' | 'enqueueIdempotently'>;
  ledger: Ledger;
  queueLimit: QueueLimit;
  results: ResultChannel;
  /** Aborted when the server stops: waiting requests are answered with 202 then. */
  stopping: AbortSignal;
  log: Logger;
}

/**
 * Accepts a job and answers 202, or, when the caller waits and the job is done in time, 200 with the worker's
 * result or its error as a problem. With an idempotency key, the same request sent again gets the first answer.
 */
export async function submitJob(
  contract: QueueContract,
  request: FastifyRequest,
  reply: FastifyReply,
  waitMs: number,
  dependencies: SubmitDependencies,
): Promise<void> {
  const { enqueue, queueLimit, results } = dependencies;
  const key = idempotencyKeyOf(request);
  await queueLimit.assertRoom(contract.name);
  const options: EnqueueOptions = {
    requestId: request.id,
    ...(request.span?.traceparent === undefined ? {} : { traceparent: request.span.traceparent }),
    ...(waitMs > 0 ? { replyTo: results.name } : {}),
  };
  if (key === undefined) {
    const job = await enqueue.enqueue(contract, request.body, options);
    await answer(contract.name, job.id, await waitForResult(job.id, reply, waitMs, dependencies), reply);
    return;
  }

  const answerWithinMs = waitMs > 0 ? waitMs + answerMarginMs : 0;
  const scope = request.caller;
  const outcome = await enqueue.enqueueIdempotently(
    contract,
    request.body,
    { scope, key, answerWithinMs },
    options,
  );
  switch (outcome.kind) {
    case 'mismatch':
      throw new ProblemError('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key was used with another body.');
    case 'in-progress':
      throw new ProblemError(
        'IN_PROGRESS',
        'The first request with this Idempotency-Key is still being answered.',
      );
    case 'replay': {
      const settled =
        outcome.answerStatus === acceptedStatus ? undefined : await dependencies.ledger.read(outcome.jobId);
      await answer(contract.name, outcome.jobId, settled, reply);
      return;
    }
    case 'first': {
      const settled = await waitForResult(outcome.job.id, reply, waitMs, dependencies);
      if (answerWithinMs > 0) {
        await dependencies.ledger
          .recordAnswer({ scope, queue: contract.name, key }, answerStatus(settled))
          // The job is accepted all the same; a repetition is answered with 202 then.
          .catch((error: unknown) =>
            dependencies.log.warn({ err: error }, 'an answer could not be recorded'),
          );
      }
      await answer(contract.name, outcome.job.id, settled, reply);
    }
  }
}

const acceptedStatus = 202;

/** The settled job, or undefined when the caller does not wait, has gone, or the job is not done in time. */
async function waitForResult(
  jobId: string,
  reply: FastifyReply,
  waitMs: number,
  { results, stopping }: SubmitDependencies,
): Promise<JobRecord | undefined> {
  if (waitMs === 0) return undefined;
  const hungUp = new AbortController();
  reply.raw.once('close', () => hungUp.abort());
  return results.wait(jobId, waitMs, AbortSignal.any([stopping, hungUp.signal]));
}

function answerStatus(settled: JobRecord | undefined): number {
  if (settled?.state === 'completed') return 200;
  return settled?.error ? problemKinds[problemCodes[settled.error.kind]].status : acceptedStatus;
}

async function answer(
  queue: string,
  jobId: string,
  settled: JobRecord | undefined,
  reply: FastifyReply,
): Promise<void> {
  const statusUrl = `/v1/jobs/${jobId}`;
  if (settled?.state === 'completed') {
    await reply.code(200).header('location', statusUrl).send(settled.result);
  } else if (settled?.error) {
    throw new ProblemError(problemCodes[settled.error.kind], settled.error.message, { jobId });
  } else {
    await reply
      .code(acceptedStatus)
      .header('location', statusUrl)
      .send({ job_id: jobId, queue, state: 'accepted', status_url: statusUrl });
  }
}

const problemCodes: Readonly<Record<JobFailure['kind'], ProblemCode>> = {
  'invalid-input': 'VALIDATION_ERROR',
  permanent: 'INTERNAL_ERROR',
  transient: 'INTERNAL_ERROR',
  'rate-limited': 'RATE_LIMITED',
  // A job of which one of our own stores was away is not failed: this one lacked somebody else.
  unavailable: 'INTERNAL_ERROR',
  cancelled: 'CANCELLED',
};
