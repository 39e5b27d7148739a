import { dayMs, type DayWindow } from './local-day.ts';
import { localTime } from './local-clock.ts';
import { isActivityName } from './pattern.ts';

export interface ActivityEvent {
  activityType: string;
  /** Milliseconds since the epoch. */
  occurredAtMs: number;
  /** IANA name of the clock that the user looks at; UTC where nothing is known. */
  timezone: string;
}

export interface LoggedActivity {
  name: string;
  /** Places in the log's order of time. */
  places: readonly number[];
}

/** One user's events of some whole local days, laid out so that patterns are quick to check. */
export interface ActivityLog {
  window: DayWindow;
  /** The day of the first event: before it, the user was not observed. */
  firstDay: number;
  activities: readonly LoggedActivity[];
  byName: ReadonlyMap<string, number>;
  /** In order of time, all three: which activity, the instant, and the time on the user's clock. */
  activityAt: Int32Array;
  epochMsAt: Float64Array;
  localMsAt: Float64Array;
}

/**
 * Reads one user's events, in any order. Left out are those of other days than the window's, and those whose
 * activity has a name that no pattern can have (longer than 128 characters, or not well-formed).
 */
export function readActivityLog(events: Iterable<ActivityEvent>, window: DayWindow): ActivityLog {
  const kept: { name: string; epochMs: number; localMs: number }[] = [];
  for (const { activityType, occurredAtMs, timezone } of events) {
    const localMs = localTime(timezone, occurredAtMs);
    const day = Math.floor(localMs / dayMs);
    if (day < window.startDay || day >= window.endDay || !isActivityName(activityType)) continue;
    kept.push({ name: activityType, epochMs: occurredAtMs, localMs });
  }
  // At one instant by name and clock, so that the answer does not depend on the order in which events came in.
  kept.sort(
    (one, other) =>
      one.epochMs - other.epochMs ||
      (one.name < other.name ? -1 : Number(one.name > other.name)) ||
      one.localMs - other.localMs,
  );

  const byName = new Map<string, number>();
  const activities: { name: string; places: number[] }[] = [];
  const activityAt = new Int32Array(kept.length);
  const epochMsAt = new Float64Array(kept.length);
  const localMsAt = new Float64Array(kept.length);
  let firstDay = window.endDay;
  for (const [place, { name, epochMs, localMs }] of kept.entries()) {
    let number = byName.get(name);
    if (number === undefined) {
      number = activities.length;
      byName.set(name, number);
      activities.push({ name, places: [] });
    }
    activities[number]?.places.push(place);
    firstDay = Math.min(firstDay, Math.floor(localMs / dayMs));
    activityAt[place] = number;
    epochMsAt[place] = epochMs;
    localMsAt[place] = localMs;
  }
  return { window, firstDay, activities, byName, activityAt, epochMsAt, localMsAt };
}

/** The places of the activity of this name; none where it was not done. */
export function placesOf({ activities, byName }: ActivityLog, name: string): readonly number[] {
  return activities[byName.get(name) ?? -1]?.places ?? [];
}
