import { JobError, MustWaitError } from '../errors/job-error.ts';
import type { JobContext } from '../queue/job-context.ts';

export interface WithoutAnswerPolicy {
  /** How long a job waits for a vendor from the first moment in which none could answer, in milliseconds. */
  patienceMs: number;
  /** Whether a baseline may answer in the end. */
  degradedAnswers: 'allow' | 'deny';
}

/** So that a job never comes back at once. */
const shortestWaitMs = 250;

/**
 * What a job does when `generate` gave it no answer: `degrade` (its baseline answers), or the error that it is to
 * throw, which decides whether it waits, is tried again or fails.
 */
export function decideWithoutAnswer(
  error: JobError,
  { isLastAttempt, waitedMs }: Pick<JobContext, 'isLastAttempt' | 'waitedMs'>,
  { patienceMs, degradedAnswers }: WithoutAnswerPolicy,
): 'degrade' | JobError {
  const inTheEnd = degradedAnswers === 'allow' ? 'degrade' : error;
  switch (error.code) {
    case 'NO_VENDOR_NOW': {
      const patienceLeftMs = patienceMs - waitedMs;
      if (patienceLeftMs <= 0) return degradedAnswers === 'allow' ? 'degrade' : withoutPatience(error);
      const waitMs = Math.min(Math.max(error.retryAfterMs ?? 0, shortestWaitMs), patienceLeftMs);
      return new MustWaitError(error.message, { code: error.code, waitMs: Math.ceil(waitMs), cause: error });
    }
    case 'LLM_FAILED':
      return isLastAttempt ? inTheEnd : error;
    case 'LLM_NOT_CONFIGURED':
      return inTheEnd;
    default:
      // A request that was refused is our bug, and our own stores are waited for: no baseline hides them.
      return error;
  }
}

function withoutPatience({ kind, message, code, cause }: JobError): JobError {
  return new JobError(kind, message, { code, cause, isFinal: true });
}
