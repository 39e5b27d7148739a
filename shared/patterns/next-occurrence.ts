import { nextCallWindow } from '../call-window/next-call-window.ts';
import { dayMs } from './local-day.ts';
import type { Pattern } from './pattern.ts';

/** Instants, in milliseconds since the epoch; the end does not belong to it. */
export interface Occurrence {
  startMs: number;
  endMs: number;
}

/**
 * For when a pattern says that something is needed: of a time pattern the window that is open now, whole, or else
 * the next one, right across changes of the clocks; of a sequence the 24 hours from now.
 *
 * @throws RangeError when the timezone is unknown
 */
export function nextOccurrence(pattern: Pattern, nowMs: number, timezone: string): Occurrence {
  if (pattern.kind === 'sequence') return { startMs: nowMs, endMs: nowMs + dayMs };
  const { start, end } = nextCallWindow(
    {
      preferredDayOfWeek: pattern.weekdays,
      preferredHourRange: { start: pattern.hour_start, end: pattern.hour_end },
    },
    timezone,
    nowMs,
  );
  return { startMs: Date.parse(start), endMs: Date.parse(end) };
}
