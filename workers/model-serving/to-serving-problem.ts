import { JobError } from '../../shared/errors/job-error.ts';
import { ProblemError } from '../../shared/http/problem.ts';

/** What the models throw, as the problem that the caller is told. */
export function toServingProblem(error: Error): ProblemError | undefined {
  if (!(error instanceof JobError)) return undefined;
  if (error.code === 'QUEUE_FULL') {
    const detail = `${error.message}. Try again in a second.`;
    return new ProblemError('QUEUE_FULL', detail, { status: 503, retryAfterSeconds: 1 });
  }
  if (error.code === 'MODEL_FAILED') {
    return new ProblemError('MODEL_NOT_READY', `${error.message}. It is loaded again; try again.`);
  }
  return undefined;
}
