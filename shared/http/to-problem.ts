import { errorCodes, type FastifyError } from 'fastify';
import { JobError, ModelNotReadyError, StoreUnavailableError } from '../errors/job-error.ts';
import { AccessDenied } from '../http-access/add-access-control.ts';
import { ProblemError } from './problem.ts';

/** What any route or the server itself threw, as the problem that the caller is told. Undefined: our own fault. */
export function toProblem(error: FastifyError | Error): ProblemError | undefined {
  if (error instanceof ProblemError) return error;
  if (error instanceof StoreUnavailableError) {
    return new ProblemError(
      'STORE_UNAVAILABLE',
      `${error.message}. Nothing was accepted; try again in a few seconds.`,
    );
  }
  if (error instanceof ModelNotReadyError) {
    return new ProblemError('MODEL_NOT_READY', `${error.message}. Try again in a few seconds.`);
  }
  if (error instanceof JobError && error.code === 'CIRCUIT_OPEN') {
    const retryAfterSeconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1_000));
    return new ProblemError('CIRCUIT_OPEN', `${error.message}.`, { retryAfterSeconds });
  }
  if (error instanceof AccessDenied) {
    return new ProblemError(
      error.reason === 'unauthenticated' ? 'UNAUTHENTICATED' : 'FORBIDDEN',
      error.message,
    );
  }
  if (error instanceof JobError && error.code === 'QUEUE_FULL') {
    return new ProblemError('QUEUE_FULL', `${error.message}. Try again in a few seconds.`);
  }
  if (error instanceof errorCodes.FST_ERR_CTP_BODY_TOO_LARGE) {
    return new ProblemError(
      'PAYLOAD_TOO_LARGE',
      'The body is larger than this route takes; send it in several requests.',
    );
  }
  if (error instanceof errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE) {
    return new ProblemError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.');
  }
  if (error instanceof errorCodes.FST_ERR_BAD_URL || error instanceof errorCodes.FST_ERR_MAX_PARAM_LENGTH) {
    return new ProblemError('NOT_FOUND', 'There is no such route; /docs lists what there is.');
  }
  if ('statusCode' in error && error.statusCode === 400) {
    return new ProblemError('INVALID_JSON', 'The body cannot be parsed as JSON.');
  }
  return undefined;
}
