import type { RowScore } from '../../shared/models/row-score.ts';
import { dominantOf } from './to-prediction.ts';

/** Why a row of a bulk has no answer. */
export const rowErrorCodes = ['NOT_AN_OBJECT', 'FEATURE_REJECTED'] as const;

interface Placed {
  /** The place of the row among those that were given, from 0. */
  row: number;
  model_version: string;
}

interface Covered {
  /** Share of the columns for which the row had a usable value of its own, from 0 to 1; the others were imputed. */
  coverage: number;
}

/** What a bulk says of one row. */
export type ResultLine = Placed &
  (
    | (Covered & { prediction: number })
    | (Covered & {
        causal_effects: number[];
        regime_probabilities: number[];
        dominant_regime: number;
        uncertainty: number;
      })
    | { error: { code: (typeof rowErrorCodes)[number]; message: string } }
  );

/** @param score `undefined`: the row is no object */
export function toResultLine(row: number, version: string, score: RowScore | undefined): ResultLine {
  const placed = { row, model_version: version };
  if (!score) {
    return { ...placed, error: { code: 'NOT_AN_OBJECT', message: 'The line is no object as JSON' } };
  }
  if (score.kind === 'rejected') {
    return { ...placed, error: { code: 'FEATURE_REJECTED', message: score.message } };
  }
  const { coverage } = score;
  if (score.type === 'binary_classifier') return { ...placed, coverage, prediction: score.probability };
  return {
    ...placed,
    coverage,
    causal_effects: score.causalEffects,
    regime_probabilities: score.regimeProbabilities,
    dominant_regime: dominantOf(score.regimeProbabilities),
    uncertainty: score.uncertainty,
  };
}
