/**
 * The place of each value among all of them in ascending order, from 1. Equal values share the mean of their places, as
 * rank statistics with ties want it (Kendall, Rank Correlation Methods, 1948).
 */
export function midRanks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((one, other) => at(one) - at(other));
  const ranks = new Float64Array(values.length);
  for (let first = 0; first < order.length;) {
    let next = first + 1;
    while (next < order.length && at(order[next]) === at(order[first])) next += 1;
    // Of the places first + 1 to next.
    for (const place of order.subarray(first, next)) ranks[place] = (first + 1 + next) / 2;
    first = next;
  }
  return ranks;

  function at(place: number | undefined): number {
    return values[place ?? 0] ?? Number.NaN;
  }
}
