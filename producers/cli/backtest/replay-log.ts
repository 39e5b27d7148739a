import { readActivityLog, type ActivityEvent } from '../../../shared/patterns/activity-log.ts';
import { isActive } from '../../../shared/patterns/is-active.ts';
import { learnPopulation, type Example } from '../../../shared/patterns/learn-population.ts';
import { localDay } from '../../../shared/patterns/local-day.ts';
import { outcomesOf } from '../../../shared/patterns/outcomes-of.ts';
import { pastExamples } from '../../../shared/patterns/past-examples.ts';
import type { Population } from '../../../shared/patterns/population.ts';
import { proposePatterns } from '../../../shared/patterns/propose-patterns.ts';
import { confidenceOf, gatherEvidence } from '../../../shared/patterns/verify-pattern.ts';
import { repeatLastWeek } from './repeat-last-week.ts';
import { createTally, type Tally } from './tally.ts';

export interface ReplayOptions {
  /** How many days a pattern is looked for in, and on how many days after them it is tested. */
  days: number;
  horizon: number;
  progress: (done: number, total: number) => void;
}

export interface Replay {
  cutOffs: number;
  /** How often a user was looked at: users who were active in the week before a cut-off. */
  evaluations: number;
  usersEvaluated: number;
  /** Users with at least one prediction that was stated at the confidence from which predictions are queued. */
  usersCovered: number;
  /** With the confidence that is stated. */
  verified: Tally;
  /** The same predictions with the share of the days that chose them, as a detector without a check would say. */
  unchecked: Tally;
  /** A detector that expects last week again. */
  control: { predictions: number; cameTrue: number };
}

export const queueConfidence = 0.7;
const daysBetween = 7;
/** Of the past, the latest examples; more would make the weights no better. */
const mostExamples = 50_000;

/**
 * Replays a log week by week: what was found in the days before a cut-off is tested on the days after it. A cut-off
 * is midnight of one calendar day on each user's own clock.
 *
 * What holds for people in general is learnt again for each cut-off from outcomes before it: those of earlier
 * cut-offs, and at the first one from the days before it alone. (Outcomes of one midnight count as before the next in
 * every timezone, although the last of them lie up to a day later where the sun rises earlier.)
 */
export function replayLog(
  users: ReadonlyMap<string, readonly ActivityEvent[]>,
  { days, horizon, progress }: ReplayOptions,
): Replay {
  const span = spanOf(users);
  const replay: Replay = {
    cutOffs: 0,
    evaluations: 0,
    usersEvaluated: 0,
    usersCovered: 0,
    verified: createTally(),
    unchecked: createTally(),
    control: { predictions: 0, cameTrue: 0 },
  };
  const cutOffs: number[] = [];
  for (let day = span.firstDay + days; day + horizon <= span.lastDay + 1; day += daysBetween)
    cutOffs.push(day);
  const evaluated = new Set<string>();
  const covered = new Set<string>();
  const learning = createLearning(horizon);
  const total = users.size * cutOffs.length;

  for (const cutOff of cutOffs) {
    const before = { startDay: cutOff - days, endDay: cutOff };
    if (replay.cutOffs === 0) {
      learning.add(
        cutOff - horizon,
        [...users.values()].flatMap((events) => pastExamples(events, before, horizon)),
      );
    }
    const population = learning.populationAt(cutOff);
    const examples: Example[] = [];
    let seen = 0;
    for (const [user, events] of users) {
      seen += 1;
      progress(replay.cutOffs * users.size + seen, total);
      const log = readActivityLog(events, before);
      if (!isActive(log)) continue;
      const later = readActivityLog(events, { startDay: cutOff, endDay: cutOff + horizon });
      replay.evaluations += 1;
      evaluated.add(user);
      const repeated = repeatLastWeek(log, later);
      replay.control.predictions += repeated.predictions;
      replay.control.cameTrue += repeated.cameTrue;
      for (const pattern of proposePatterns(log)) {
        const evidence = gatherEvidence(pattern, log);
        const confidence = confidenceOf(evidence, population);
        const outcomes = outcomesOf(pattern, later);
        const cameTrue = outcomes.filter((outcome) => outcome).length;
        replay.verified.add(confidence, outcomes.length, cameTrue);
        replay.unchecked.add(evidence.fittedHits / evidence.fittedOccasions, outcomes.length, cameTrue);
        if (confidence >= queueConfidence && outcomes.length > 0) covered.add(user);
        examples.push({ evidence, occasions: outcomes.length, cameTrue });
      }
    }
    learning.add(cutOff, examples);
    replay.cutOffs += 1;
  }
  replay.usersEvaluated = evaluated.size;
  replay.usersCovered = covered.size;
  return replay;
}

/** Collects examples and gives them out only once their outcomes are past. */
function createLearning(horizon: number) {
  let waiting: { cutOff: number; examples: readonly Example[] }[] = [];
  let known: Example[] = [];

  return {
    add(cutOff: number, examples: readonly Example[]): void {
      waiting.push({ cutOff, examples });
    },
    populationAt(day: number): Population {
      const isPast = (batch: { cutOff: number }) => batch.cutOff + horizon <= day;
      known = [...known, ...waiting.filter(isPast).flatMap(({ examples }) => examples)].slice(-mostExamples);
      waiting = waiting.filter((batch) => !isPast(batch));
      return learnPopulation(known);
    },
  };
}

/** The first and the last local day of a log. */
export function spanOf(users: ReadonlyMap<string, readonly ActivityEvent[]>): {
  firstDay: number;
  lastDay: number;
} {
  let [firstDay, lastDay] = [Infinity, -Infinity];
  for (const events of users.values()) {
    for (const { timezone, occurredAtMs } of events) {
      const day = localDay(timezone, occurredAtMs);
      firstDay = Math.min(firstDay, day);
      lastDay = Math.max(lastDay, day);
    }
  }
  return { firstDay, lastDay };
}
