import { z } from 'zod';
import { isConnectionError } from '../errors/classify.ts';
import { JobError, StoreUnavailableError } from '../errors/job-error.ts';
import type { CallEnding } from '../outside-call/bounded-call.ts';
import { artifactsAccessDenied, artifactsFailed, artifactsMissing } from './artifact-failure.ts';

/** Credentials that are renewed by whoever gives them out: trying again helps. */
const passingAccessNames: ReadonlySet<string> = new Set(['CredentialsProviderError', 'ExpiredToken']);

const errorWithStatus = z.object({ $metadata: z.object({ httpStatusCode: z.number() }) });

/**
 * What a failed call of S3 means, by the SDK's error name, Node's error code and the HTTP status.
 *
 * @param url of the store
 */
export function bucketFailure(url: string, error: unknown, ending: CallEnding): JobError {
  if (ending === 'late') return new StoreUnavailableError('artifacts', error);
  if (error instanceof JobError) return error;
  const name = error instanceof Error ? error.name : '';
  if (passingAccessNames.has(name)) return artifactsAccessDenied(url, error, 'transient');
  if (name === 'NoSuchBucket') return artifactsMissing(url, error);
  if (name === 'TimeoutError' || isConnectionError(error))
    return new StoreUnavailableError('artifacts', error);
  const status = errorWithStatus.safeParse(error).data?.$metadata.httpStatusCode;
  // Too many calls, and whatever is S3's own fault.
  if (status === 429 || (status !== undefined && status >= 500)) {
    return new StoreUnavailableError('artifacts', error);
  }
  if (status === 401 || status === 403) return artifactsAccessDenied(url, error);
  return artifactsFailed(url, error, status !== undefined && status >= 400 ? 'permanent' : 'transient');
}
