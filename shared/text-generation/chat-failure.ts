import { z } from 'zod';
import type { JobError } from '../errors/job-error.ts';
import { retryAfterMs } from '../errors/retry-after.ts';
import { AnswerInterruptedError } from './bounded-fetch.ts';
import { failureCodeOf, generationFailure } from './generation-failure.ts';

type ErrorClass = abstract new (...parameters: never[]) => Error;

/** The error classes that OpenAI's and Together's SDKs both have. */
export interface ChatErrors {
  APIError: ErrorClass;
  APIConnectionError: ErrorClass;
}

const answeredError = z.object({
  status: z.number(),
  code: z.string().nullish().catch(undefined),
  headers: z.instanceof(Headers),
});

/** What a failed chat completion means, by HTTP status, the vendor's error code and the SDK's error class. */
export function chatFailure(error: unknown, errors: ChatErrors): JobError {
  const answered = error instanceof errors.APIError ? answeredError.safeParse(error).data : undefined;
  if (answered === undefined) {
    // The SDKs wrap whatever their `fetch` throws. An answer that has begun shows that the vendor can be reached.
    const isInterrupted =
      error instanceof Error && [error, error.cause].some((part) => part instanceof AnswerInterruptedError);
    if (isInterrupted || error instanceof SyntaxError) {
      return generationFailure('LLM_ANSWER_BROKEN', { cause: error });
    }
    const isUnreached = error instanceof errors.APIConnectionError;
    return generationFailure(isUnreached ? 'LLM_UNAVAILABLE' : 'LLM_FAILED', { cause: error });
  }
  const { status, code, headers } = answered;
  // An account without credit gets 429 too, but no waiting helps: somebody has to pay. The next vendor is asked.
  const failureCode = code === 'insufficient_quota' ? 'LLM_ACCESS_DENIED' : failureCodeOf(status);
  return generationFailure(failureCode, {
    cause: error,
    status,
    retryAfterMs: failureCode === 'LLM_RATE_LIMITED' ? waitOf(headers) : undefined,
  });
}

/** OpenAI's own header counts in milliseconds and is the more exact one. */
function waitOf(headers: Headers): number | undefined {
  const milliseconds = headers.get('retry-after-ms')?.trim() ?? '';
  if (/^\d{1,12}(\.\d+)?$/.test(milliseconds)) return Math.ceil(Number(milliseconds));
  return retryAfterMs(headers.get('retry-after') ?? '', Date.now());
}
