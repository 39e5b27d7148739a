import { z } from 'zod';
import { isConnectionError } from '../../shared/errors/classify.ts';
import { JobError, type ErrorKind } from '../../shared/errors/job-error.ts';

/** SNS's names for "slow down" that may come with a status other than 429. */
const throttlingNames: ReadonlySet<string> = new Set([
  'Throttled',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'KMSThrottlingException',
  'RequestLimitExceeded',
]);

/** Credentials that are renewed by whoever gives them out: trying again helps. */
const passingNames: ReadonlySet<string> = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
]);

const errorWithStatus = z.object({ $metadata: z.object({ httpStatusCode: z.number() }) });

/** What a failed `Publish` means, by the SDK's error name, the HTTP status and Node's error code. */
export function notificationFailure(error: unknown, isLate: boolean): JobError {
  const name = error instanceof Error ? error.name : '';
  const status = errorWithStatus.safeParse(error).data?.$metadata.httpStatusCode;
  if (isLate) return failed('transient', 'SNS did not answer in time', error);
  if (throttlingNames.has(name) || status === 429) {
    return failed('rate-limited', 'SNS asks for fewer notifications', error);
  }
  if (passingNames.has(name))
    return failed('transient', 'The credentials for SNS are missing or expired', error);
  // The SDK calls some of these TimeoutError, although nothing took long.
  if (isConnectionError(error)) return failed('unavailable', 'SNS cannot be reached', error);
  if (name === 'TimeoutError') return failed('transient', 'SNS did not answer in time', error);
  if (status !== undefined && status >= 400 && status < 500) {
    const message = `SNS refused the notification (${name}): check the topic and who may publish to it`;
    return new JobError('permanent', message, { code: 'NOTIFICATION_REFUSED', cause: error });
  }
  return failed('transient', 'SNS failed', error);
}

function failed(kind: ErrorKind, message: string, cause: unknown): JobError {
  return new JobError(kind, message, { code: 'NOTIFICATION_FAILED', cause });
}
