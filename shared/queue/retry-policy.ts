import type { JobError } from '../errors/job-error.ts';
import {
  ModelNotReadyError,
  MustWaitError,
  NewerPayloadError,
  StoreUnavailableError,
} from '../errors/job-error.ts';

export type Decision =
  | { action: 'retry'; delayMs: number }
  /** Put the job aside, unspent. */
  | { action: 'wait'; delayMs: number }
  /** The same, until a worker of a newer version takes it. */
  | { action: 'leave' }
  /** Kept as failed or cancelled. */
  | { action: 'stop' }
  /** Our own stores are away, or the model is: give the job back unspent and stop consuming until they are there. */
  | { action: 'park' };

const firstDelayMs = 1_000;
const longestDelayMs = 5 * 60_000;
/** So long a newer worker may stand idle beside jobs that older ones have put aside. */
const longestLeaveMs = 30_000;

/**
 * The one place that decides whether a failed attempt is followed by another.
 *
 * @param attempt which attempt failed, from 1
 * @param attempts how many there are in all
 * @param random from 0 to 1; spreads retries so that they do not come back as one wave
 */
export function decideRetry(
  error: JobError,
  attempt: number,
  attempts: number,
  random = Math.random(),
): Decision {
  if (error instanceof StoreUnavailableError || error instanceof ModelNotReadyError) {
    return { action: 'park' };
  }
  if (error instanceof NewerPayloadError) return { action: 'leave' };
  if (error instanceof MustWaitError) return { action: 'wait', delayMs: error.waitMs };
  if (error.kind === 'invalid-input' || error.kind === 'permanent' || error.kind === 'cancelled') {
    return { action: 'stop' };
  }
  if (error.isFinal || attempt >= attempts) return { action: 'stop' };
  // Exponential backoff with full jitter on its upper half, never sooner than the vendor asked for.
  const ceilingMs = Math.min(firstDelayMs * 2 ** (attempt - 1), longestDelayMs);
  const backoffMs = Math.round(ceilingMs * (0.5 + random / 2));
  return { action: 'retry', delayMs: Math.max(backoffMs, error.retryAfterMs ?? 0) };
}

/**
 * For how long a job is put aside that only a newer worker can do, in milliseconds: a second while one may be beside
 * this one, a second more each time. Not doubled: chance decides who meets a job, and it may be unlucky for a while.
 *
 * @param timesMet how often workers have met the job, this time included
 * @param random from 0 to 1; spreads jobs so that they do not come back as one wave
 */
export function leaveForMs(timesMet: number, random = Math.random()): number {
  const ceilingMs = Math.min(firstDelayMs * timesMet, longestLeaveMs);
  return Math.round(ceilingMs * (0.5 + random / 2));
}
