import { unlessAborted } from './unless-aborted.ts';

/** Why a call gave no answer: its caller ended it, its time was over, or it failed by itself. */
export type CallEnding = 'cancelled' | 'late' | 'failed';

export interface BoundedCallOptions {
  /** How long the call may take, from its credentials to its last byte. */
  timeoutMs: number;
  /** Ends the call when it is aborted. */
  signal?: AbortSignal | undefined;
  /** What it means that there is no answer. */
  failureOf: (error: unknown, ending: CallEnding) => Error;
}

/**
 * Makes a call that ends in time and with its signal. No SDK's own limit spans a call from its credentials to its
 * last byte, and the SDKs look at a signal only while the request is under way.
 *
 * @param send makes the call; it is given a signal that ends it
 * @throws what `failureOf` says
 */
export async function boundedCall<Answer>(
  { timeoutMs, signal, failureOf }: BoundedCallOptions,
  send: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  if (signal?.aborted) throw failureOf(signal.reason, 'cancelled');
  const ended = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    ended.abort();
  }, timeoutMs);
  const onAbort = () => ended.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await unlessAborted(send(ended.signal), ended.signal);
  } catch (error) {
    if (signal?.aborted) throw failureOf(error, 'cancelled');
    throw failureOf(error, isLate ? 'late' : 'failed');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
