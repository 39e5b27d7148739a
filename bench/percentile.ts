/**
 * The least of the values that so many percent of them do not exceed (nearest rank); NaN of nothing.
 *
 * @param percent more than 0 and up to 100
 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? Number.NaN;
}
