import { JobError } from '../errors/job-error.ts';
import { unlessAborted } from '../process/unless-aborted.ts';
import { generationFailure } from './generation-failure.ts';

export interface BoundedCallOptions {
  timeoutMs: number;
  /** Ends the call when it is aborted. */
  signal: AbortSignal;
  /** What a failure that is neither of the two ends means. */
  failureOf: (error: unknown) => JobError;
}

/**
 * Makes a call that ends in time and with its signal. No SDK's own limit spans the call from its credentials to
 * its last byte.
 *
 * @param send makes the call; it is given a signal that ends it
 * @throws JobError `ABORTED`, `LLM_TIMEOUT` or what `failureOf` says
 */
export async function boundedCall<Answer>(
  options: BoundedCallOptions,
  send: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const { timeoutMs, signal, failureOf } = options;
  if (signal.aborted) throw cancelled();
  const ended = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    ended.abort();
  }, timeoutMs);
  const onAbort = () => ended.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await unlessAborted(send(ended.signal), ended.signal);
  } catch (error) {
    if (signal.aborted) throw cancelled();
    throw isLate ? generationFailure('LLM_TIMEOUT', { cause: error }) : failureOf(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** The signal's reason may say more than an error may, so it is no cause. */
function cancelled(): JobError {
  return new JobError('cancelled', 'The call to the model was aborted', { code: 'ABORTED' });
}
