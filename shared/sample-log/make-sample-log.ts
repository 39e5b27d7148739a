import type { ActivityEvent } from '../patterns/activity-log.ts';
import { localTime } from '../patterns/local-clock.ts';
import { dayMs, hourMs, localDay, minuteMs, weekdayOf } from '../patterns/local-day.ts';
import { createRandom } from './create-random.ts';
import { userKinds, type UserKind } from './user-kinds.ts';

export interface SampleUser {
  userId: string;
  /** A name of `userKinds`. */
  kind: string;
  /** In order of time, all before now. */
  events: ActivityEvent[];
}

export interface SampleLogOptions {
  users: number;
  /** How many days back from now. */
  days: number;
  nowMs: number;
  /** Another seed, another log; the same one, the same log for the same moment. */
  seed?: number;
}

type Random = () => number;

const wakesAtHour = 7;
const sleepsAtHour = 23;
/** Of the days of a user, on which nothing is done. */
const shareOfDaysOff = 0.03;

const timezones = [
  'America/New_York',
  'Europe/Berlin',
  'Asia/Jerusalem',
  'Europe/London',
  'America/Los_Angeles',
  'Asia/Tokyo',
  'America/Sao_Paulo',
  'Australia/Sydney',
];

/** Makes up what users did in the days before now, one user at a time: habits of several kinds, with noise around. */
export function* makeSampleLog({ users, days, nowMs, seed = 1 }: SampleLogOptions): Generator<SampleUser> {
  const random = createRandom(seed);
  const width = String(users).length;
  for (let place = 0; place < users; place += 1) {
    const kind = kindAt(place);
    const timezone = timezones[Math.floor(random() * timezones.length)] ?? 'UTC';
    const events = makeEvents(individual(kind, random), { timezone, days, nowMs, random });
    yield { userId: `sample-${String(place + 1).padStart(width, '0')}`, kind: kind.name, events };
  }
}

/** So that any hundred users in a row hold each kind as often as it says, well mixed. */
function kindAt(place: number): UserKind {
  const mixed = (place * 37) % 100;
  let before = 0;
  for (const kind of userKinds) {
    before += kind.ofHundred;
    if (mixed < before) return kind;
  }
  throw new Error('the kinds of users are fewer than a hundred of a hundred');
}

/** Everybody has an hour of their own, and keeps to it a little better or worse than others. */
function individual(kind: UserKind, random: Random): UserKind {
  const hours = Math.floor(random() * 3) - 1;
  const steadiness = 0.94 + 0.1 * random();
  const own = (chance: number) => Math.min(0.98, chance * steadiness);
  return {
    ...kind,
    times: kind.times.map((habit) => ({ ...habit, hour: habit.hour + hours, chance: own(habit.chance) })),
    sequences: kind.sequences.map((habit) => ({ ...habit, chance: own(habit.chance) })),
  };
}

function makeEvents(
  kind: UserKind,
  { timezone, days, nowMs, random }: { timezone: string; days: number; nowMs: number; random: Random },
): ActivityEvent[] {
  const today = localDay(timezone, nowMs);
  const from = Math.max(today - days, today - (kind.activeFrom ?? Infinity));
  const until = today - (kind.activeUntil ?? 0);
  const events: ActivityEvent[] = [];
  for (let day = from; day <= until; day += 1) {
    const isDayOff = random() < shareOfDaysOff;
    const withHabits = day <= today - (kind.habitsUntil ?? 0);
    for (const { activity, atMs } of makeDay(kind, day, withHabits, random)) {
      const occurredAtMs = instantOf(timezone, atMs);
      if (!isDayOff && occurredAtMs < nowMs) events.push({ activityType: activity, occurredAtMs, timezone });
    }
  }
  return events.sort((one, other) => one.occurredAtMs - other.occurredAtMs);
}

interface Deed {
  activity: string;
  /** On the user's own clock, in milliseconds since 1970. */
  atMs: number;
}

function makeDay(kind: UserKind, day: number, withHabits: boolean, random: Random): Deed[] {
  const deeds: Deed[] = [];
  for (const { activity, weekdays, hour, chance } of kind.times) {
    const isDue = withHabits && weekdays.includes(weekdayOf(day));
    if (isDue && random() < chance) deeds.push({ activity, atMs: day * dayMs + (hour + random()) * hourMs });
  }
  const { activities, aDay } = kind.random;
  // Between half and one and a half times as many as usual.
  const count = Math.round(aDay * (0.5 + random()));
  for (let left = count; left > 0; left -= 1) {
    const activity = activities[Math.floor(random() * activities.length)];
    const hour = wakesAtHour + random() * (sleepsAtHour - wakesAtHour);
    if (activity !== undefined) deeds.push({ activity, atMs: day * dayMs + hour * hourMs });
  }
  for (const { after, activity, withinMinutes, chance } of kind.sequences) {
    for (const leading of deeds.filter((deed) => deed.activity === after)) {
      if (!withHabits || random() >= chance) continue;
      const minutes = withinMinutes * (0.1 + 0.85 * random());
      deeds.push({ activity, atMs: leading.atMs + minutes * minuteMs });
    }
  }
  return deeds;
}

/** The instant at which the clocks of a timezone show a time; where they are changed, one that is near. */
function instantOf(timezone: string, localMs: number): number {
  const guess = 2 * localMs - localTime(timezone, localMs);
  return Math.round(localMs - (localTime(timezone, guess) - guess));
}
