import { errorCode } from '../errors/classify.ts';
import { JobError, type ErrorKind } from '../errors/job-error.ts';
import type { CallEnding } from '../outside-call/bounded-call.ts';

const failures = {
  LLM_RATE_LIMITED: ['rate-limited', 'The model asks for fewer calls'],
  LLM_TIMEOUT: ['transient', 'The model did not answer in time'],
  LLM_FAILED: ['transient', 'The model failed'],
  LLM_ANSWER_BROKEN: ['transient', 'The answer of the model broke off, or cannot be read'],
  LLM_UNAVAILABLE: ['unavailable', 'The model cannot be reached'],
  LLM_ACCESS_DENIED: ['unavailable', 'The credentials for the model are missing or not accepted'],
  LLM_REQUEST_REFUSED: ['permanent', 'The model refused the request'],
} as const satisfies Record<string, readonly [ErrorKind, string]>;

export type GenerationFailureCode = keyof typeof failures;

export interface GenerationFailureOptions {
  cause: unknown;
  /** The HTTP status of the vendor's answer, if there was one. */
  status?: number | undefined;
  retryAfterMs?: number | undefined;
}

/**
 * A failed call as the port tells it. The vendor's own error is not kept: its message may quote the prompt, the
 * answer or the key. What is kept of it is its name, the status and the code that Node gave it.
 */
export function generationFailure(code: GenerationFailureCode, options: GenerationFailureOptions): JobError {
  const [kind, message] = failures[code];
  const { cause, status, retryAfterMs } = options;
  return new JobError(kind, message, {
    code,
    cause: withoutWords(cause, status),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/**
 * What it means that a call gave no answer.
 *
 * @param failureOf what a failure that is neither of our own endings means
 */
export function endedCall(
  error: unknown,
  ending: CallEnding,
  failureOf: (error: unknown) => JobError,
): JobError {
  // The signal's reason may say more than an error may, so it is no cause.
  if (ending === 'cancelled') {
    return new JobError('cancelled', 'The call to the model was aborted', { code: 'ABORTED' });
  }
  return ending === 'late' ? generationFailure('LLM_TIMEOUT', { cause: error }) : failureOf(error);
}

/** What a status means where neither the error's name nor its code says more. */
export function failureCodeOf(status: number): GenerationFailureCode {
  switch (status) {
    case 429:
      return 'LLM_RATE_LIMITED';
    // 402 is Together's "no credit", 410 a model that is gone: neither passes soon, and the request is not at fault.
    case 401:
    case 402:
    case 403:
    case 404:
    case 410:
      return 'LLM_ACCESS_DENIED';
    case 408:
    case 504:
    case 524:
      return 'LLM_TIMEOUT';
    case 503:
    case 529:
      return 'LLM_UNAVAILABLE';
    case 409:
    case 424:
    case 425:
    case 499:
      return 'LLM_FAILED';
    default:
      return status >= 400 && status < 500 ? 'LLM_REQUEST_REFUSED' : 'LLM_FAILED';
  }
}

function withoutWords(error: unknown, status: number | undefined): Error {
  const told = new Error(status === undefined ? 'no answer' : `HTTP status ${status}`);
  const name = nameOf(error);
  if (/^[A-Za-z]{1,64}$/.test(name)) told.name = name;
  const code = connectionCodeOf(error);
  return code === undefined ? told : Object.assign(told, { code });
}

/** The names of OpenAI's and Together's errors are those of their classes, AWS's are the errors' own. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return error.name === 'Error' ? error.constructor.name : error.name;
}

/** Node's code of a failed connection, from the depth of an SDK's error. */
function connectionCodeOf(error: unknown, depth = 0): string | undefined {
  const code = errorCode(error);
  if (code !== undefined && /^(E[A-Z_]{2,30}|UND_ERR_[A-Z_]{2,30})$/.test(code)) return code;
  return error instanceof Error && depth < 4 ? connectionCodeOf(error.cause, depth + 1) : undefined;
}
