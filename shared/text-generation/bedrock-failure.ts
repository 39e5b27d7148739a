import { z } from 'zod';
import { errorCode, isConnectionError } from '../errors/classify.ts';
import type { JobError } from '../errors/job-error.ts';
import { retryAfterMs } from '../errors/retry-after.ts';
import { failureCodeOf, generationFailure, type GenerationFailureCode } from './generation-failure.ts';

/**
 * What AWS calls its errors says more than their status: a spent quota and an expired token come with 400, a model
 * that took too long with 408.
 */
const codeByName = new Map<string, GenerationFailureCode>([
  ...names('LLM_RATE_LIMITED', [
    'Throttling',
    'ThrottlingException',
    'ThrottledException',
    'TooManyRequestsException',
    'RequestLimitExceeded',
    'ServiceQuotaExceededException',
  ]),
  ...names('LLM_FAILED', ['ModelErrorException', 'ModelTimeoutException']),
  ...names('LLM_UNAVAILABLE', ['ModelNotReadyException', 'ServiceUnavailableException']),
  ...names('LLM_ACCESS_DENIED', [
    'AccessDenied',
    'AccessDeniedException',
    'UnrecognizedClientException',
    'ExpiredToken',
    'ExpiredTokenException',
    'RequestExpired',
    'InvalidSignatureException',
    'SignatureDoesNotMatch',
    'IncompleteSignature',
    'IncompleteSignatureException',
    'InvalidClientTokenId',
    'InvalidToken',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'OptInRequired',
    'ResourceNotFoundException',
    'CredentialsProviderError',
    'ProviderError',
    'TokenProviderError',
  ]),
]);

function names(code: GenerationFailureCode, errors: string[]): [string, GenerationFailureCode][] {
  return errors.map((name) => [name, code]);
}

/** The SDK puts the response that it could not turn into an answer on its error. */
const errorWithResponse = z.object({
  $response: z.object({ statusCode: z.number(), headers: z.record(z.string(), z.string()) }),
});

/** What a failed call means, by the SDK's error name, the HTTP status and Node's error code. */
export function bedrockFailure(error: unknown): JobError {
  const response = errorWithResponse.safeParse(error).data?.$response;
  const byName = codeByName.get(error instanceof Error ? error.name : '');
  if (response === undefined) {
    return generationFailure(byName ?? codeWithoutResponse(error), { cause: error });
  }
  const { statusCode: status, headers } = response;
  // The status was good, so it was the body: too large, or it ended before its end.
  const code = byName ?? (status < 300 ? 'LLM_ANSWER_BROKEN' : failureCodeOf(status));
  return generationFailure(code, {
    cause: error,
    status,
    retryAfterMs:
      code === 'LLM_RATE_LIMITED' ? retryAfterMs(headers['retry-after'] ?? '', Date.now()) : undefined,
  });
}

function codeWithoutResponse(error: unknown): GenerationFailureCode {
  // The only limit that the SDK is given is one for connecting. It calls a lost connection the same.
  if (error instanceof Error && error.name === 'TimeoutError') return 'LLM_UNAVAILABLE';
  // A certificate that is not trusted has codes of its own; whatever it is, nobody was asked.
  const isTls = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(errorCode(error) ?? '');
  return isConnectionError(error) || isTls ? 'LLM_UNAVAILABLE' : 'LLM_FAILED';
}
