import type { CallPattern } from '../../../../shared/call-window/next-call-window.ts';

/** What the clocks of a timezone show, told by Intl alone: an oracle that shares no code with what it checks. */
export interface Clocks {
  /** When the clocks were changed. */
  changesMs: number[];
  /** Whether the local day and hour of an instant belong to the pattern. */
  belongs(pattern: CallPattern, instantMs: number): boolean;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export function readClocks(timezone: string, fromMs: number, toMs: number): Clocks {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });

  function offsetMs(instantMs: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instantMs)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instantMs / 1000) * 1000;
  }

  // Spans of equal offset: looked for day by day, then narrowed down to the second.
  const spans = [{ fromMs: -Infinity, offsetMs: offsetMs(fromMs) }];
  for (let instantMs = fromMs; instantMs < toMs; instantMs += dayMs) {
    let low = instantMs;
    let high = instantMs + dayMs;
    if (offsetMs(low) === offsetMs(high)) continue;
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000;
      if (offsetMs(middle) === offsetMs(instantMs)) low = middle;
      else high = middle;
    }
    spans.push({ fromMs: high, offsetMs: offsetMs(high) });
  }
  const latestFirst = spans.toReversed();

  return {
    changesMs: spans.slice(1).map((span) => span.fromMs),
    belongs({ preferredDayOfWeek, preferredHourRange }, instantMs) {
      const span = latestFirst.find((candidate) => instantMs >= candidate.fromMs);
      const local = new Date(instantMs + (span?.offsetMs ?? 0));
      const weekday = local.getUTCDay();
      const hour = local.getUTCHours();
      return (
        (preferredDayOfWeek.includes(weekday) || (weekday === 0 && preferredDayOfWeek.includes(7))) &&
        hour >= preferredHourRange.start &&
        hour < preferredHourRange.end
      );
    },
  };
}
