/**
 * How evenly shares are spread, after Jain: 1 when all are equal, 1/n when one of n has everything; NaN of nothing.
 */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return (sum * sum) / (shares.length * squares);
}
