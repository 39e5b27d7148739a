import { z } from 'zod';
import { errorCode, isConnectionError } from '../errors/classify.ts';
import { JobError, StoreUnavailableError, type ErrorKind } from '../errors/job-error.ts';

/**
 * "Too many at the moment", in DynamoDB's words. That is an outage for us: whoever shares the table has to slow
 * down, which consuming does when it pauses, and the job itself is as good as before.
 */
const throttlingNames: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
]);

/** Credentials that are renewed by whoever gives them out: trying again helps. */
const passingAccessNames: ReadonlySet<string> = new Set([
  'CredentialsProviderError',
  'ExpiredTokenException',
]);

const accessNames: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'OptInRequired',
  'UnrecognizedClientException',
]);

/** What the SDK knows of the answer: the response that it could not read, or the status of an error that it could. */
const errorWithStatus = z.union([
  z
    .object({ $response: z.object({ statusCode: z.number() }) })
    .transform((error) => error.$response.statusCode),
  z
    .object({ $metadata: z.object({ httpStatusCode: z.number() }) })
    .transform((error) => error.$metadata.httpStatusCode),
]);

/**
 * What a failed call of DynamoDB means, by the SDK's error name, Node's error code and the HTTP status. Its message
 * names the cause and never holds what was stored or asked.
 */
export function dynamodbFailure(error: unknown): JobError {
  if (error instanceof JobError) return error;
  const name = error instanceof Error ? error.name : '';
  if (throttlingNames.has(name)) return new StoreUnavailableError('dynamodb', error);
  if (passingAccessNames.has(name)) return accessDenied('transient', error);
  if (accessNames.has(name)) return accessDenied('permanent', error);
  if (name === 'ResourceNotFoundException') {
    return failure(
      'permanent',
      'DYNAMODB_TABLE_MISSING',
      'The DynamoDB table does not exist; `presage migrate up` makes it',
      error,
    );
  }
  if (
    name === 'TimeoutError' ||
    isConnectionError(error) ||
    errorCode(error) === 'ERR_STREAM_PREMATURE_CLOSE'
  ) {
    return new StoreUnavailableError('dynamodb', error);
  }
  const status = errorWithStatus.safeParse(error).data;
  if (status !== undefined && status >= 500) return new StoreUnavailableError('dynamodb', error);
  if (status === 401 || status === 403) return accessDenied('permanent', error);
  if (status !== undefined && status >= 400) {
    return failure('permanent', 'DYNAMODB_CALL_REFUSED', `DynamoDB refused the call (${name})`, error);
  }
  return failure('transient', 'DYNAMODB_FAILED', 'DynamoDB gave no answer that can be used', error);
}

function accessDenied(kind: ErrorKind, cause: unknown): JobError {
  const message = 'The credentials for DynamoDB are missing or not accepted';
  return failure(kind, 'DYNAMODB_ACCESS_DENIED', message, cause);
}

function failure(kind: ErrorKind, code: string, message: string, cause: unknown): JobError {
  return new JobError(kind, message, { code, cause });
}
