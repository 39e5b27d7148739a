/** Added to every count, so that an empty bin is rare instead of impossible. */
const smoothing = 0.5;

/**
 * The population stability index of two histograms with the same bins: Σ (aᵢ − eᵢ) · ln(aᵢ / eᵢ) over the shares of
 * the expected and the actual counts (Siddiqi, Credit Risk Scorecards, 2006; the symmetric form of the
 * Kullback-Leibler divergence). 0 is no shift; it is usual to look closer from 0.1 and to act from 0.25. Chance alone
 * gives about (bins − 1) · (1 / expected rows + 1 / actual rows).
 */
export function populationStabilityIndex(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  const expectedShares = shares(expected);
  const actualShares = shares(actual);
  return expectedShares.reduce((sum, share, bin) => {
    const actualShare = actualShares[bin] ?? share;
    return sum + (actualShare - share) * Math.log(actualShare / share);
  }, 0);
}

function shares(counts: ArrayLike<number>): number[] {
  const smoothed = Array.from(counts, (count) => count + smoothing);
  const total = smoothed.reduce((sum, count) => sum + count, 0);
  return smoothed.map((count) => count / total);
}
