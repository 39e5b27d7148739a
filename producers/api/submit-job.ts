import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { problemKinds, problemSchema, type ProblemCode } from '../../shared/api-contract/problem-schema.ts';
import { acceptedSchema } from '../../shared/api-contract/accepted.ts';
import type { QueueContract } from '../../shared/contracts/define-queue.ts';
import type { JobFailure, JobRecord } from '../../shared/ledger/job-record.ts';
import type { Ledger } from '../../shared/ledger/open-ledger.ts';
import type { QueueLimit } from '../../shared/queue/create-queue-limit.ts';
import type { Enqueue, EnqueueOptions } from '../../shared/queue/enqueue.ts';
import type { ResultChannel } from '../../shared/queue/open-result-channel.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { ProblemError } from '../../shared/http/problem.ts';

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
  enqueue: Pick<Enqueue, 'enqueue' | 'enqueueIdempotently' | 'enqueueBulk'>;
  ledger: Ledger;
  queueLimit: QueueLimit;
  results: ResultChannel;
  /** Aborted when the server stops: waiting requests are told then that their jobs go on. */
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
  const { jobId, settled } = await acceptAndWait(
    contract,
    request.body,
    { request, reply, waitMs },
    dependencies,
  );
  await answer(contract.name, jobId, settled, reply);
}

export interface Caller {
  request: FastifyRequest;
  reply: FastifyReply;
  /** How long the caller waits for the result, in milliseconds; 0: not at all. */
  waitMs: number;
}

export interface Submission {
  jobId: string;
  /** The settled job; `undefined` when nobody waits for it, or it was not settled in time. */
  settled: JobRecord | undefined;
  /** Whether this request repeats another one, whose job it is. */
  isRepetition: boolean;
}

/**
 * Accepts a job and waits for it. With an idempotency key, the same request sent again has the first one's job, and
 * what that one was told.
 */
export async function acceptAndWait(
  contract: QueueContract,
  payload: unknown,
  caller: Caller,
  dependencies: SubmitDependencies,
): Promise<Submission> {
  const { enqueue, queueLimit, results } = dependencies;
  const { request, reply, waitMs } = caller;
  const key = idempotencyKeyOf(request);
  await queueLimit.assertRoom(contract.name);
  const options: EnqueueOptions = {
    requestId: request.id,
    ...(request.span?.traceparent === undefined ? {} : { traceparent: request.span.traceparent }),
    ...(waitMs > 0 ? { replyTo: results.name } : {}),
  };
  if (key === undefined) {
    const { id: jobId } = await enqueue.enqueue(contract, payload, options);
    const settled = await waitForResult(jobId, reply, waitMs, dependencies);
    return { jobId, settled, isRepetition: false };
  }

  const answerWithinMs = waitMs > 0 ? waitMs + answerMarginMs : 0;
  const scope = request.caller;
  const outcome = await enqueue.enqueueIdempotently(
    contract,
    payload,
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
      return { jobId: outcome.jobId, settled, isRepetition: true };
    }
    case 'first':
  }
  const jobId = outcome.job.id;
  const settled = await waitForResult(jobId, reply, waitMs, dependencies);
  if (answerWithinMs > 0) {
    await dependencies.ledger
      .recordAnswer({ scope, queue: contract.name, key }, answerStatus(settled))
      // The job is accepted all the same; a repetition is answered with 202 then.
      .catch((error: unknown) => dependencies.log.warn({ err: error }, 'an answer could not be recorded'));
  }
  return { jobId, settled, isRepetition: false };
}

const acceptedStatus = 202;

/** The settled job, or undefined when the caller does not wait, has gone, or the job is not done in time. */
export async function waitForResult(
  jobId: string,
  reply: FastifyReply,
  waitMs: number,
  { results, stopping }: SubmitDependencies,
): Promise<JobRecord | undefined> {
  if (waitMs === 0) return undefined;
  const hungUp = new AbortController();
  reply.raw.once('close', () => hungUp.abort());
  // Whoever went while the job was accepted is not heard of again.
  if (reply.raw.closed) hungUp.abort();
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
    throw problemFromFailure(settled.error, jobId);
  } else {
    await reply
      .code(acceptedStatus)
      .header('location', statusUrl)
      .send({ job_id: jobId, queue, state: 'accepted', status_url: statusUrl });
  }
}

/** Why a job failed, as its caller is told. */
export function problemFromFailure({ kind, message }: JobFailure, jobId: string): ProblemError {
  return new ProblemError(problemCodes[kind], message, { jobId });
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
