import type { ActivityEvent } from './activity-log.ts';
import { minuteMs } from './local-day.ts';
import type { Occurrence } from './next-occurrence.ts';
import type { Pattern } from './pattern.ts';

/**
 * Scores one prediction, after its window. A time pattern came true if its activity happened within the window; a
 * sequence if its activity followed in time upon the first time that the leading one was done.
 *
 * @param events of the user, in any order: from `within_minutes` before the window (what led to the prediction may
 *   lie there) until `within_minutes` after it
 * @returns undefined when the leading activity was not done: then nothing was predicted
 */
export function didComeTrue(
  pattern: Pattern,
  { startMs, endMs }: Occurrence,
  events: Iterable<Pick<ActivityEvent, 'activityType' | 'occurredAtMs'>>,
): boolean | undefined {
  if (pattern.kind === 'time') {
    for (const { activityType, occurredAtMs } of events) {
      if (activityType === pattern.activity && occurredAtMs >= startMs && occurredAtMs < endMs) return true;
    }
    return false;
  }
  const withinMs = pattern.within_minutes * minuteMs;
  let leadingMs = Infinity;
  const followingMs: number[] = [];
  for (const { activityType, occurredAtMs } of events) {
    if (activityType === pattern.activity) followingMs.push(occurredAtMs);
    const canLead = occurredAtMs > startMs - withinMs && occurredAtMs < endMs;
    if (activityType === pattern.after && canLead) leadingMs = Math.min(leadingMs, occurredAtMs);
  }
  if (leadingMs === Infinity) return undefined;
  return followingMs.some((atMs) => atMs > leadingMs && atMs <= leadingMs + withinMs);
}
