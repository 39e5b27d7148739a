import { JobError } from './job-error.ts';

/** Node's codes for "the other side is not reachable or went away". */
const connectionCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);

/** The `code` of an error of Node, a driver or an SDK, if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether the error says that a connection could not be made or was lost. */
export function isConnectionError(error: unknown): boolean {
  const code = errorCode(error);
  return code !== undefined && connectionCodes.has(code);
}

/**
 * Says what a failure means, once and for all. Adapters throw `JobError`s themselves; what arrives here
 * otherwise is judged by error names and codes, never by the words of a message.
 */
export function classify(error: unknown): JobError {
  if (error instanceof JobError) return error;
  const name = error instanceof Error ? error.name : '';
  if (name === 'AbortError')
    return new JobError('cancelled', 'The work was aborted', { code: 'ABORTED', cause: error });
  if (name === 'TimeoutError') {
    return new JobError('transient', 'The work took longer than its deadline', {
      code: 'DEADLINE_EXCEEDED',
      cause: error,
    });
  }
  if (isConnectionError(error)) {
    return new JobError('unavailable', 'A service that the job needs cannot be reached', {
      code: 'CONNECTION_FAILED',
      cause: error,
    });
  }
  // What nobody classified is a bug of ours or of a library. It may still be a passing one, so the queue
  // tries again; the attempts are bounded and the dead letter keeps the cause.
  return new JobError('transient', 'An unexpected error; the job record holds its details', {
    code: 'INTERNAL_ERROR',
    cause: error,
  });
}
