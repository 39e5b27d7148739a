import { midRanks } from './mid-ranks.ts';

/**
 * Spearman's rank correlation: Pearson's correlation of the mid-ranks (Spearman, The Proof and Measurement of Association
 * between Two Things, 1904), from -1 to 1. At 1 both put the same leads first, whatever probabilities they state.
 * Undefined when either states the same of all.
 */
export function rankCorrelation(one: Float64Array, other: Float64Array): number | undefined {
  const [ranks, otherRanks] = [midRanks(one), midRanks(other)];
  // Whatever the ties, the mean of all places.
  const mean = (ranks.length + 1) / 2;
  let [together, apart, otherApart] = [0, 0, 0];
  for (const [place, rank] of ranks.entries()) {
    const [distance, otherDistance] = [rank - mean, (otherRanks[place] ?? mean) - mean];
    together += distance * otherDistance;
    apart += distance ** 2;
    otherApart += otherDistance ** 2;
  }
  if (apart === 0 || otherApart === 0) return undefined;
  return together / Math.sqrt(apart * otherApart);
}
