import { errorCode } from '../errors/classify.ts';
import { JobError, StoreUnavailableError } from '../errors/job-error.ts';
import { artifactsAccessDenied, artifactsFailed } from './artifact-failure.ts';

const accessCodes: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS']);
/** Of a network's folder that went away. */
const awayCodes: ReadonlySet<string | undefined> = new Set([
  'EIO',
  'ESTALE',
  'ETIMEDOUT',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENODEV',
]);

/**
 * What a failed operation of the file system means, by Node's error code.
 *
 * @param url of the store
 */
export function folderFailure(url: string, error: unknown): JobError {
  if (error instanceof JobError) return error;
  const code = errorCode(error);
  if (accessCodes.has(code)) return artifactsAccessDenied(url, error);
  return awayCodes.has(code) ? new StoreUnavailableError('artifacts', error) : artifactsFailed(url, error);
}
