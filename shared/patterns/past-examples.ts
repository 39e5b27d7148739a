import { readActivityLog, type ActivityEvent } from './activity-log.ts';
import { isActive } from './is-active.ts';
import type { Example } from './learn-population.ts';
import type { DayWindow } from './local-day.ts';
import { outcomesOf } from './outcomes-of.ts';
import { proposePatterns } from './propose-patterns.ts';
import { gatherEvidence } from './verify-pattern.ts';

/** From fewer days nobody would tell a habit. */
const leastDays = 14;

/**
 * What one user's past teaches about patterns in general: those that the detector would have found at earlier
 * moments, a week apart, and what came of them in the days after. Nothing after the window is looked at.
 *
 * @param horizonDays how many days the outcomes of one moment take in
 */
export function pastExamples(
  events: Iterable<ActivityEvent>,
  { startDay, endDay }: DayWindow,
  horizonDays: number,
): Example[] {
  const kept = [...events];
  const examples: Example[] = [];
  for (let cutOff = endDay - horizonDays; cutOff - startDay >= leastDays; cutOff -= 7) {
    const before = readActivityLog(kept, { startDay, endDay: cutOff });
    if (!isActive(before)) continue;
    const after = readActivityLog(kept, { startDay: cutOff, endDay: cutOff + horizonDays });
    for (const pattern of proposePatterns(before)) {
      const outcomes = outcomesOf(pattern, after);
      const cameTrue = outcomes.filter((outcome) => outcome).length;
      examples.push({ evidence: gatherEvidence(pattern, before), occasions: outcomes.length, cameTrue });
    }
  }
  return examples;
}
