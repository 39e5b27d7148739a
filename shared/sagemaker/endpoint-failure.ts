import { z } from 'zod';
import { errorCode, isConnectionError } from '../errors/classify.ts';
import { JobError, type ErrorKind } from '../errors/job-error.ts';
import { retryAfterMs } from '../errors/retry-after.ts';

/** AWS's names for "slow down" that may come with a status other than 429. */
const throttlingNames: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
]);

/** The SDK puts the response that it could not turn into an answer on its error. */
const errorWithResponse = z.object({
  $response: z.object({ statusCode: z.number(), headers: z.record(z.string(), z.string()) }),
});

/** What a failed call means, by HTTP status, the SDK's error name and Node's error code. */
export function endpointFailure(error: unknown): JobError {
  const response = errorWithResponse.safeParse(error).data?.$response;
  if (response === undefined) return failureWithoutResponse(error);
  const { statusCode, headers } = response;
  if (statusCode === 429 || throttlingNames.has(errorName(error))) {
    const waitMs = retryAfterMs(headers['retry-after'] ?? '', Date.now());
    return failure(
      'rate-limited',
      'ENDPOINT_RATE_LIMITED',
      'The endpoint asks for fewer calls',
      error,
      waitMs,
    );
  }
  // The status was good, so it was the body: too large, or it ended before its end.
  if (statusCode < 300) return answerUnusable(error);
  if (statusCode === 401 || statusCode === 403) return accessDenied(error);
  if (statusCode === 503) return unavailable(error);
  // 424 is SageMaker's way to tell a failure of the model's own; any other 4xx is a call that we made wrongly.
  if (statusCode < 500 && statusCode !== 424) {
    return failure('permanent', 'ENDPOINT_CALL_REFUSED', 'The endpoint refused the call', error);
  }
  return failure('transient', 'ENDPOINT_FAILED', 'The endpoint failed', error);
}

function failureWithoutResponse(error: unknown): JobError {
  const code = errorCode(error);
  if (errorName(error) === 'CredentialsProviderError') return accessDenied(error);
  // The SDK gives a reset connection the same name as a time-out: Node's code tells them apart.
  if (errorName(error) === 'TimeoutError' && code !== 'ECONNRESET' && code !== 'EPIPE')
    return answerTimedOut(error);
  if (isConnectionError(error)) return unavailable(error);
  return failure('transient', 'ENDPOINT_FAILED', 'The endpoint failed', error);
}

function errorName(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function failure(kind: ErrorKind, code: string, message: string, cause?: unknown, waitMs?: number): JobError {
  return new JobError(kind, message, {
    code,
    cause,
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

export function answerUnusable(cause?: unknown): JobError {
  return failure(
    'transient',
    'ENDPOINT_ANSWER_INVALID',
    'The endpoint gave no answer that can be used',
    cause,
  );
}

export function answerTimedOut(cause: unknown): JobError {
  return failure('transient', 'ENDPOINT_TIMEOUT', 'The endpoint did not answer in time', cause);
}

function accessDenied(cause: unknown): JobError {
  const message = 'The credentials for the endpoint are missing or not accepted';
  return failure('permanent', 'ENDPOINT_ACCESS_DENIED', message, cause);
}

function unavailable(cause: unknown): JobError {
  return failure('unavailable', 'ENDPOINT_UNAVAILABLE', 'The endpoint cannot be reached', cause);
}
