import type { Evidence } from './evidence.ts';
import { chanceAlone } from './is-pattern.ts';

export const weightCount = 6;
/** So many occasions count as few: their share is drawn towards what such patterns hold for others. */
const few = 4;

/**
 * A pattern's evidence as the numbers that the population weighs, in this order: one; the log-odds on occasions
 * that did not choose it; how much better it looks on those that did; how much better lately than on the whole; how
 * few the occasions are; how well chance at the rate of other times explains it.
 */
export function describeEvidence(evidence: Evidence): number[] {
  const tested = logOdds(evidence.hits, evidence.occasions);
  const share = evidence.fittedHits / Math.max(1, evidence.fittedOccasions);
  return [
    1,
    tested,
    logOdds(evidence.fittedHits, evidence.fittedOccasions) - tested,
    (evidence.recentHits + share) / (evidence.recentOccasions + 1) - share,
    few / Math.max(1, evidence.occasions),
    Math.min(1, chanceAlone(evidence)),
  ];
}

/** One hit and one miss more than were seen, so that nothing is certain. */
function logOdds(hits: number, occasions: number): number {
  return Math.log((hits + 1) / (occasions - hits + 1));
}
