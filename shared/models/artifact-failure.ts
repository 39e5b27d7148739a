import { JobError, type ErrorKind } from '../errors/job-error.ts';

/** What is stored under a key has more bytes than it may have. */
export class ArtifactTooLargeError extends JobError {
  constructor(key: string, maxBytes: number) {
    super('permanent', `${key} has more than ${maxBytes} bytes`, { code: 'ARTIFACT_TOO_LARGE' });
    this.name = 'ArtifactTooLargeError';
  }
}

const keyPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;
const keyCharacters = 512;

/** @throws JobError `ARTIFACT_KEY_INVALID` for a key that could lead out of the store, or that a store cannot hold */
export function requireKey(key: string): void {
  if (keyPattern.test(key) && key.length <= keyCharacters) return;
  throw failure('permanent', 'ARTIFACT_KEY_INVALID', 'A key of the artifact store is not well formed');
}

/** @throws JobError `ARTIFACT_KEY_INVALID` */
export function requirePrefix(prefix: string): void {
  if (prefix !== '') requireKey(prefix.endsWith('/') ? prefix.slice(0, -1) : '');
}

/** There is no such bucket or folder. */
export function artifactsMissing(url: string, cause?: unknown): JobError {
  const message = `The artifact store ${url} does not exist; \`presage migrate up\` makes it`;
  return failure('permanent', 'ARTIFACTS_MISSING', message, cause);
}

export function artifactsAccessDenied(url: string, cause: unknown, kind: ErrorKind = 'permanent'): JobError {
  const message = `Access to the artifact store ${url} is not allowed`;
  return failure(kind, 'ARTIFACTS_ACCESS_DENIED', message, cause);
}

export function artifactsFailed(url: string, cause: unknown, kind: ErrorKind = 'transient'): JobError {
  return failure(kind, 'ARTIFACTS_FAILED', `The artifact store ${url} failed`, cause);
}

function failure(kind: ErrorKind, code: string, message: string, cause?: unknown): JobError {
  return new JobError(kind, message, { code, cause });
}
