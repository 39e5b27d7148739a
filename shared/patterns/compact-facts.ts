import type { ActivityLog, LoggedActivity } from './activity-log.ts';
import { followersOf } from './followers-of.ts';
import { leastHits } from './is-pattern.ts';
import { dayMs, hourMs, weekdayOf } from './local-day.ts';

/** A user's days in so few words that they cost little in a prompt. Local time; ISO weekdays. */
export interface ActivityFacts {
  /** How many days the user was observed, and how many events there were. */
  days: number;
  events: number;
  /**
   * Of the activities that could carry a pattern, the most frequent first: name, times, days since the last time, and
   * when, as `weekday@hour:days` for the cells that were hit on several days, else `@hour:days` over all weekdays.
   */
  activities: [name: string, times: number, daysAgo: number, when: string][];
  /** What came after what, within four hours: first, then, how often, of how many times, median minutes. */
  transitions: [first: string, then: string, times: number, of: number, minutes: number][];
}

const mostActivities = 20;
const mostTransitions = 15;
/** A follower that comes after fewer of the times carries no pattern, even if bursts count as one. */
const leastFollowed = 0.3;
const mostCells = 10;
/** Of all facts as JSON text: names are long only in a hostile log. */
const mostCharacters = 4_000;

/**
 * The facts of a log that could carry a pattern: activities done at least three times, at some hour on several days
 * or after or before another one. Of bounded size whatever the log holds. Where `activities` is empty, there is nothing
 * to ask about.
 */
export function compactFacts(log: ActivityLog): ActivityFacts {
  const frequent = log.activities
    .filter(({ places }) => places.length >= leastHits)
    .sort((one, other) => other.places.length - one.places.length || (one.name < other.name ? -1 : 1))
    .slice(0, mostActivities);
  const transitions = transitionsOf(frequent, log);
  const linked = new Set(transitions.flatMap(([first, then]) => [first, then]));
  const facts: ActivityFacts = {
    days: Math.max(0, log.window.endDay - log.firstDay),
    events: log.activityAt.length,
    activities: frequent
      .map((activity): ActivityFacts['activities'][number] => [
        activity.name,
        activity.places.length,
        log.window.endDay - 1 - dayAt(log, activity.places.at(-1)),
        whenOf(activity, log),
      ])
      .filter(([name, , , when]) => when !== '' || linked.has(name)),
    transitions,
  };
  while (JSON.stringify(facts).length > mostCharacters) {
    // The least frequent ones go first, in turn.
    const longer = facts.transitions.length >= facts.activities.length ? facts.transitions : facts.activities;
    if (longer.pop() === undefined) break;
  }
  return facts;
}

function dayAt(log: ActivityLog, place: number | undefined): number {
  return Math.floor((log.localMsAt[place ?? 0] ?? 0) / dayMs);
}

/** On how many days each weekday's hour was hit. */
function whenOf({ places }: LoggedActivity, log: ActivityLog): string {
  const cells = new Map<string, number>();
  const hours = new Map<string, number>();
  const seen = new Set<string>();
  for (const place of places) {
    const day = dayAt(log, place);
    const hour = Math.floor(((log.localMsAt[place] ?? 0) - day * dayMs) / hourMs);
    const here = `${day}@${hour}`;
    if (seen.has(here)) continue;
    seen.add(here);
    const cell = `${weekdayOf(day)}@${hour}`;
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
    hours.set(`@${hour}`, (hours.get(`@${hour}`) ?? 0) + 1);
  }
  return shown(cells) || shown(hours);
}

function shown(cells: ReadonlyMap<string, number>): string {
  return [...cells]
    .filter(([, days]) => days >= 2)
    .sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1))
    .slice(0, mostCells)
    .map(([cell, days]) => `${cell}:${days}`)
    .join(' ');
}

function transitionsOf(
  activities: readonly LoggedActivity[],
  log: ActivityLog,
): ActivityFacts['transitions'] {
  return activities
    .flatMap(({ name, places }) =>
      followersOf(places, log)
        .filter(({ times }) => times >= leastFollowed * places.length)
        .map(({ activity, times, medianMinutes }): ActivityFacts['transitions'][number] => [
          name,
          activity.name,
          times,
          places.length,
          medianMinutes,
        ]),
    )
    .sort((one, other) => other[2] - one[2])
    .slice(0, mostTransitions);
}
