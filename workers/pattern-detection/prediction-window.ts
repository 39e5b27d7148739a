import { nextOccurrence, type Occurrence } from '../../shared/patterns/next-occurrence.ts';
import type { Pattern } from '../../shared/patterns/pattern.ts';

/**
 * For when the page is to be ready: the pattern's next window, or the one that is open now unless what it predicts
 * has already been done in it.
 *
 * @param events what the user did lately, in any order
 * @param timezone an IANA name that the runtime knows
 */
export function predictionWindow(pattern: Pattern, { nowMs, timezone, events }: WindowFacts): Occurrence {
  const next = nextOccurrence(pattern, nowMs, timezone);
  if (pattern.kind === 'sequence' || next.startMs > nowMs) return next;
  const isDone = events.some(
    ({ activityType, occurredAtMs }) =>
      activityType === pattern.activity && occurredAtMs >= next.startMs && occurredAtMs < next.endMs,
  );
  return isDone ? nextOccurrence(pattern, next.endMs, timezone) : next;
}

interface WindowFacts {
  /** Milliseconds since the epoch. */
  nowMs: number;
  timezone: string;
  events: readonly { activityType: string; occurredAtMs: number }[];
}
