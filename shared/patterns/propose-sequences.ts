import type { ActivityLog } from './activity-log.ts';
import { followersOf } from './followers-of.ts';
import { isPattern, leastHits } from './is-pattern.ts';
import type { SequencePattern } from './pattern.ts';
import { followingRate, occasionsOf } from './sequence-evidence.ts';

/** Which times are tried, in minutes. */
const times = [5, 15, 30, 60, 120, 240] as const;
const mostLeading = 40;
/** A longer time must bring in so much more of the occasions, for each step of the list. */
const costOfStep = 0.02;
const priorShare = 0.3;
const priorOccasions = 4;

interface Candidate {
  pattern: SequencePattern;
  score: number;
}

export function proposeSequences(log: ActivityLog): Candidate[] {
  return log.activities
    .filter(({ places }) => places.length >= leastHits)
    .sort((one, other) => other.places.length - one.places.length)
    .slice(0, mostLeading)
    .flatMap(({ name, places }) =>
      followersOf(places, log).flatMap(({ activity }) => bestTime(name, activity.name, log)),
    );
}

function bestTime(after: string, activity: string, log: ActivityLog): Candidate[] {
  let best: Candidate | undefined;
  for (const [step, within_minutes] of times.entries()) {
    const pattern: SequencePattern = { kind: 'sequence', after, activity, within_minutes };
    const occasions = occasionsOf(pattern, log);
    const fittedHits = occasions.filter(({ followed }) => followed).length;
    const fit = { fittedHits, fittedOccasions: occasions.length };
    // The base rate takes a walk through the whole log: not for what is no pattern anyway.
    if (!isPattern({ ...fit, baseRate: 0 })) continue;
    if (!isPattern({ ...fit, baseRate: followingRate(pattern, log) })) continue;
    const share = (fittedHits + priorShare * priorOccasions) / (occasions.length + priorOccasions);
    const score = share - costOfStep * step;
    if (!best || score > best.score) best = { pattern, score };
  }
  return best ? [best] : [];
}
