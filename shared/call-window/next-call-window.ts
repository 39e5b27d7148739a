import { Temporal } from 'temporal-polyfill';
import type { CallWindow, OptimalCallTime } from '../contracts/call-time-prediction.ts';
import { isoInstant } from './iso-instant.ts';

export type CallPattern = Pick<OptimalCallTime, 'preferredDayOfWeek' | 'preferredHourRange'>;

/** A stretch of time, in milliseconds since the epoch; its end does not belong to it. */
interface Span {
  startMs: number;
  endMs: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** 1 January 1970 was a Thursday. */
const epochWeekday = 4;
/** A weekday comes back in seven days; a change of the clocks may skip one occurrence, but not the next as well. */
const daysToSearch = 15;

/**
 * The window of a weekly pattern that is open now (whole, from its own start) or else the next one.
 *
 * A window is the time during which the clocks on the wall show the pattern's hours on one of its days. So where
 * daylight saving skips its first or last hour it begins or ends at the change; an hour that occurs twice belongs
 * to it twice; and a window that is skipped whole does not take place.
 *
 * @param timezone an IANA name that the runtime knows
 * @param nowMs milliseconds since the epoch
 * @throws RangeError when the timezone is unknown
 */
export function nextCallWindow(pattern: CallPattern, timezone: string, nowMs: number): CallWindow {
  const { start, end } = pattern.preferredHourRange;
  const spans = offsetSpans(timezone, {
    startMs: nowMs - 2 * dayMs,
    endMs: nowMs + (daysToSearch + 1) * dayMs,
  });
  const offsetNowMs = spans.find((span) => nowMs < span.endMs)?.offsetMs ?? 0;
  const today = Math.floor((nowMs + offsetNowMs) / dayMs);
  let next: Span | undefined;
  for (let day = today - 1; day < today + daysToSearch; day += 1) {
    const weekday = (day + epochWeekday) % 7;
    // Sunday is 0 in the documents and 7 in ISO 8601; both are understood.
    const isPreferred = pattern.preferredDayOfWeek.some((preferred) => preferred % 7 === weekday);
    if (!isPreferred) continue;
    const local = { startMs: day * dayMs + start * hourMs, endMs: day * dayMs + end * hourMs };
    for (const window of toInstants(local, spans)) {
      if (window.endMs > nowMs && window.startMs < (next?.startMs ?? Infinity)) next = window;
    }
  }
  if (!next) throw new Error('a weekly pattern without a window in two weeks');
  return { start: isoInstant(next.startMs), end: isoInstant(next.endMs) };
}

/** The stretches within a span of time during which a timezone's offset from UTC stays the same, in order. */
function offsetSpans(timezone: string, { startMs, endMs }: Span): (Span & { offsetMs: number })[] {
  const spans = [];
  const last = Temporal.Instant.fromEpochMilliseconds(endMs).toZonedDateTimeISO(timezone);
  let from = Temporal.Instant.fromEpochMilliseconds(startMs).toZonedDateTimeISO(timezone);
  // No timezone changes its clocks there and back within so short a time.
  while (from.offsetNanoseconds !== last.offsetNanoseconds) {
    const change = from.getTimeZoneTransition('next');
    if (!change) break;
    spans.push({
      startMs: from.epochMilliseconds,
      endMs: change.epochMilliseconds,
      offsetMs: from.offsetNanoseconds / 1e6,
    });
    from = change;
  }
  spans.push({ startMs: from.epochMilliseconds, endMs, offsetMs: from.offsetNanoseconds / 1e6 });
  return spans;
}

/** When the clocks show the times of a local span: nothing, one stretch or, around a change, several. */
function toInstants(local: Span, spans: readonly (Span & { offsetMs: number })[]): Span[] {
  const stretches: Span[] = [];
  for (const span of spans) {
    const startMs = Math.max(local.startMs - span.offsetMs, span.startMs);
    const endMs = Math.min(local.endMs - span.offsetMs, span.endMs);
    if (startMs >= endMs) continue;
    const previous = stretches.at(-1);
    if (previous?.endMs === startMs) previous.endMs = endMs;
    else stretches.push({ startMs, endMs });
  }
  return stretches;
}
