import { JobError } from '../../shared/errors/job-error.ts';
import { ProblemError, problemFromIssues } from '../../shared/http/problem.ts';
import { PayloadError } from '../../shared/queue/enqueue.ts';
import { StillQueuedError } from './still-queued-error.ts';

/** What is particular to submitting jobs, as the problem that the caller is told. Undefined: something else. */
export function toSubmitProblem(error: Error): ProblemError | undefined {
  if (error instanceof PayloadError) return problemFromIssues(error.issues);
  if (error instanceof StillQueuedError) {
    return new ProblemError('STILL_QUEUED', error.message, { jobId: error.jobId });
  }
  if (error instanceof JobError && error.code === 'SENDER_UNREACHABLE') {
    return new ProblemError('SENDER_UNREACHABLE', `${error.message}. Nothing was accepted; send it again.`);
  }
  return undefined;
}
