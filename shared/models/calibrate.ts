import type { Calibration } from './manifest.ts';

/** From log-odds to a probability from 0 to 1; it never descends. */
export type Calibrate = (logOdds: number) => number;

type Knot = Extract<Calibration, { method: 'isotonic' }>['parameters']['knots'][number];

/**
 * The function that a manifest's calibration describes, of the log-odds x:
 *
 * - `sigmoid` (Platt 1999): 1 / (1 + exp(-(slope · x + intercept)))
 * - `isotonic` (Zadrozny and Elkan 2002): straight lines between the knots, and the outermost probability beyond them
 */
export function calibrate(calibration: Calibration): Calibrate {
  if (calibration.method === 'isotonic')
    return (logOdds) => interpolate(calibration.parameters.knots, logOdds);
  const { slope, intercept } = calibration.parameters;
  return (logOdds) => 1 / (1 + Math.exp(-(slope * logOdds + intercept)));
}

function interpolate(knots: readonly Knot[], logOdds: number): number {
  let [low, high] = [0, knots.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((knots[middle]?.log_odds ?? Infinity) <= logOdds) low = middle + 1;
    else high = middle;
  }
  const before = knots[low - 1];
  const after = knots[low];
  if (!before || !after) return (before ?? after)?.probability ?? Number.NaN;
  const share = (logOdds - before.log_odds) / (after.log_odds - before.log_odds);
  const probability = before.probability + share * (after.probability - before.probability);
  // Rounding must not take it above the next knot.
  return Math.min(probability, after.probability);
}
