import { populationStabilityIndex } from '../../../shared/models/population-stability-index.ts';

const bins = 10;

/**
 * The population stability index of what a challenger states against what the champion states, over the tenths of the
 * latter: the usual bins for scores (Siddiqi, Credit Risk Scorecards, 2006). It says how far apart both distributions
 * are, not how often both differ.
 *
 * @param champion in ascending order
 */
export function scoreShift(champion: Float64Array, challenger: Float64Array): number {
  const innerEdges = Float64Array.from(
    { length: bins - 1 },
    (_nothing, edge) => champion[Math.floor(((edge + 1) * champion.length) / bins)] ?? 1,
  );
  return populationStabilityIndex(histogram(champion, innerEdges), histogram(challenger, innerEdges));
}

/** How many values are in each bin: one lies in the bin above an edge that it is equal to. */
function histogram(values: Float64Array, innerEdges: Float64Array): Float64Array {
  const counts = new Float64Array(bins);
  for (const value of values) {
    const bin = innerEdges.filter((edge) => edge <= value).length;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}
