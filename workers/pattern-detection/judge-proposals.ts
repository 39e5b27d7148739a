import type { ActivityLog } from '../../shared/patterns/activity-log.ts';
import type { Pattern } from '../../shared/patterns/pattern.ts';
import type { Population } from '../../shared/patterns/population.ts';
import { overlap } from '../../shared/patterns/propose-time-patterns.ts';
import { verifyPattern, type Verdict } from '../../shared/patterns/verify-pattern.ts';
import type { Proposal } from './read-proposals.ts';

/** A proposal and what the user's own days say about it. */
export interface JudgedProposal extends Proposal, Verdict {
  /**
   * - `detected`: likely enough
   * - `doubtful`: a pattern, but not likely enough
   * - `refuted`: no pattern at all
   * - `same`: says what a detected one says better, or as well
   */
  outcome: 'detected' | 'doubtful' | 'refuted' | 'same';
}

/** Tests every proposal on the log, whoever made it; the most likely ones come first. */
export function judgeProposals(
  proposals: readonly Proposal[],
  log: ActivityLog,
  { population, minConfidence }: { population: Population; minConfidence: number },
): JudgedProposal[] {
  const verified = proposals
    .map((proposal) => ({ ...proposal, ...verifyPattern(proposal.pattern, log, population) }))
    .sort((one, other) => other.confidence - one.confidence || byModelFirst(one, other));
  const detected: Pattern[] = [];
  return verified.map((proposal): JudgedProposal => {
    const { pattern, confidence } = proposal;
    if (confidence === 0) return { ...proposal, outcome: 'refuted' };
    if (confidence < minConfidence) return { ...proposal, outcome: 'doubtful' };
    if (detected.some((other) => isSame(pattern, other))) return { ...proposal, outcome: 'same' };
    detected.push(pattern);
    return { ...proposal, outcome: 'detected' };
  });
}

/** The model says why. */
function byModelFirst(one: Proposal, other: Proposal): number {
  return Number(other.proposedBy === 'model') - Number(one.proposedBy === 'model');
}

/** Whether two patterns claim the same activity for the same hour of a weekday, or after the same other one. */
function isSame(one: Pattern, other: Pattern): boolean {
  if (one.kind === 'time') return other.kind === 'time' && overlap(one, other);
  return other.kind === 'sequence' && one.after === other.after && one.activity === other.activity;
}
