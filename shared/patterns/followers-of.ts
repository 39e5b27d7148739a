import type { ActivityLog, LoggedActivity } from './activity-log.ts';
import { leastHits } from './is-pattern.ts';
import { minuteMs } from './local-day.ts';

/** An activity that comes soon after another one. */
export interface Follower {
  activity: LoggedActivity;
  times: number;
  medianMinutes: number;
}

const longestMs = 240 * minuteMs;
/** How many events after the leading one are looked at: a follower is near. */
const eventsAhead = 20;
const mostFollowers = 4;

/** The activities that most often come within four hours after one's places in a log, three times at least. */
export function followersOf(places: readonly number[], log: ActivityLog): Follower[] {
  const leading = log.activityAt[places[0] ?? 0];
  const lagsOf = new Map<number, number[]>();
  for (const place of places) {
    const startMs = log.epochMsAt[place] ?? 0;
    const seen = new Set<number>();
    const end = Math.min(log.activityAt.length, place + 1 + eventsAhead);
    for (let next = place + 1; next < end; next += 1) {
      const lagMs = (log.epochMsAt[next] ?? 0) - startMs;
      const number = log.activityAt[next] ?? 0;
      // Of a burst of the leading activity the last one leads.
      if (lagMs > longestMs || number === leading) break;
      if (seen.has(number)) continue;
      seen.add(number);
      const lags = lagsOf.get(number);
      if (lags) lags.push(lagMs);
      else lagsOf.set(number, [lagMs]);
    }
  }
  return [...lagsOf]
    .filter(([, lags]) => lags.length >= leastHits)
    .sort((one, other) => other[1].length - one[1].length)
    .slice(0, mostFollowers)
    .flatMap(([number, lags]) => {
      const activity = log.activities[number];
      const middleMs = lags.sort((one, other) => one - other)[lags.length >> 1] ?? 0;
      return activity
        ? [{ activity, times: lags.length, medianMinutes: Math.round(middleMs / minuteMs) }]
        : [];
    });
}
