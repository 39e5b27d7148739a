import { placesOf, type ActivityLog } from './activity-log.ts';
import { fading, type Evidence } from './evidence.ts';
import { dayMs, minuteMs } from './local-day.ts';
import type { SequencePattern } from './pattern.ts';

/** One time that the leading activity was done, and whether the other one followed in time. */
export interface Occasion {
  day: number;
  followed: boolean;
}

/**
 * The times that the leading activity was done. While one is open, doing it again opens no other: a burst of the
 * same activity is one occasion. An occasion that is still open when the log ends says nothing and is left out.
 */
export function occasionsOf(
  { after, activity, within_minutes }: Pick<SequencePattern, 'after' | 'activity' | 'within_minutes'>,
  log: ActivityLog,
): Occasion[] {
  const leading = placesOf(log, after);
  const following = placesOf(log, activity);
  const withinMs = within_minutes * minuteMs;
  const occasions: Occasion[] = [];
  let openUntilMs = -Infinity;
  let next = 0;
  for (const place of leading) {
    const startMs = log.epochMsAt[place] ?? 0;
    if (startMs < openUntilMs) continue;
    openUntilMs = startMs + withinMs;
    const localMs = log.localMsAt[place] ?? 0;
    if (localMs + withinMs > log.window.endDay * dayMs) break;
    while (next < following.length && (log.epochMsAt[following[next] ?? 0] ?? 0) <= startMs) next += 1;
    const followerMs = next < following.length ? (log.epochMsAt[following[next] ?? 0] ?? 0) : Infinity;
    occasions.push({ day: Math.floor(localMs / dayMs), followed: followerMs <= openUntilMs });
  }
  return occasions;
}

/** Below this share on the other weeks, nobody would have proposed the pattern: the week counts as missed. */
const worthProposing = 0.4;

/** Tests a sequence on the occasions of a log; a week's hits count if the other weeks would have proposed it too. */
export function sequenceEvidence(pattern: SequencePattern, log: ActivityLog): Evidence {
  const occasions = occasionsOf(pattern, log);
  const weeks = Math.ceil((log.window.endDay - log.window.startDay) / 7);
  const hitsOf = Array.from({ length: weeks }, () => 0);
  const occasionsIn = Array.from({ length: weeks }, () => 0);
  let fittedHits = 0;
  for (const { day, followed } of occasions) {
    const week = Math.floor((log.window.endDay - 1 - day) / 7);
    occasionsIn[week] = (occasionsIn[week] ?? 0) + 1;
    if (followed) {
      hitsOf[week] = (hitsOf[week] ?? 0) + 1;
      fittedHits += 1;
    }
  }
  let hits = 0;
  let recentHits = 0;
  let recentOccasions = 0;
  for (let week = 0; week < weeks; week += 1) {
    const otherHits = fittedHits - (hitsOf[week] ?? 0);
    const otherOccasions = occasions.length - (occasionsIn[week] ?? 0);
    recentHits += fading ** week * (hitsOf[week] ?? 0);
    recentOccasions += fading ** week * (occasionsIn[week] ?? 0);
    if (otherOccasions > 0 && otherHits / otherOccasions >= worthProposing) hits += hitsOf[week] ?? 0;
  }
  return {
    kind: 'sequence',
    hits,
    occasions: occasions.length,
    fittedHits,
    fittedOccasions: occasions.length,
    recentHits,
    recentOccasions,
    baseRate: followingRate(pattern, log),
  };
}

/** What people are awake a day: an activity that fills it follows upon everything. */
const wakingMinutes = 16 * 60;

/**
 * How often the activity comes within as many minutes anyway: after any other activity than the leading one, or
 * at any time of the day, whichever is more.
 */
export function followingRate(
  { after, activity, within_minutes }: SequencePattern,
  log: ActivityLog,
): number {
  const leading = log.byName.get(after) ?? -1;
  const followingNumber = log.byName.get(activity) ?? -1;
  const following = placesOf(log, activity);
  const withinMs = within_minutes * minuteMs;
  let others = 0;
  let followed = 0;
  let next = 0;
  let openUntilMs = -Infinity;
  for (let place = 0; place < log.activityAt.length; place += 1) {
    const number = log.activityAt[place];
    const startMs = log.epochMsAt[place] ?? 0;
    if (number === leading || number === followingNumber || startMs < openUntilMs) continue;
    openUntilMs = startMs + withinMs;
    while (next < following.length && (log.epochMsAt[following[next] ?? 0] ?? 0) <= startMs) next += 1;
    others += 1;
    if (next < following.length && (log.epochMsAt[following[next] ?? 0] ?? 0) <= openUntilMs) followed += 1;
  }
  const days = Math.max(1, log.window.endDay - log.firstDay);
  const anyTime = 1 - Math.exp((-following.length * within_minutes) / (days * wakingMinutes));
  return Math.max(anyTime, others === 0 ? 0 : followed / others);
}
