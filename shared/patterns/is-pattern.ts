import type { Evidence } from './evidence.ts';

/** Fewer occurrences are an anecdote. */
export const leastHits = 3;
/** What happens less often than this when it should is not proposed. */
export const leastShare = 0.4;
/** A pattern must be so many times likelier than the same at other times: else it is what the user always does. */
export const leastLift = 2;
/** How likely chance alone may bring as many hits. Small, because a detector tries some thousand windows. */
const mostChance = 1e-4;
/** Nothing is taken to be rarer at other times: a short log has not seen everything. */
const leastBaseRate = 0.02;

type Fit = Pick<Evidence, 'fittedHits' | 'fittedOccasions' | 'baseRate'>;

/**
 * Whether the numbers make a pattern at all: often enough, clearly likelier than at other times, and more hits than
 * chance would bring at the rate of other times.
 */
export function isPattern(fit: Fit): boolean {
  const { fittedHits, fittedOccasions, baseRate } = fit;
  const share = fittedOccasions === 0 ? 0 : fittedHits / fittedOccasions;
  if (fittedHits < leastHits || share < leastShare || share < leastLift * baseRate) return false;
  return chanceAlone(fit) <= 1;
}

/**
 * How well chance alone explains the hits: 1 is as badly as a pattern must at least be explained, less is worse still.
 * The logarithm of the chance is bounded by the Kullback-Leibler divergence of the shares (Chernoff).
 */
export function chanceAlone({ fittedHits, fittedOccasions, baseRate }: Fit): number {
  const share = fittedOccasions === 0 ? 0 : fittedHits / fittedOccasions;
  const base = Math.max(baseRate, leastBaseRate);
  if (share <= base) return Infinity;
  const misses = share < 1 ? (1 - share) * Math.log((1 - share) / (1 - base)) : 0;
  return Math.log(1 / mostChance) / (fittedOccasions * (share * Math.log(share / base) + misses));
}
