import type { ModelPrediction } from '../../shared/api-contract/model-prediction.ts';
import type { Manifest } from '../../shared/models/manifest.ts';
import type { ModelAnswer } from '../../shared/models/row-score.ts';

/**
 * A model's answers as the caller gets them: effects in a flat list for one row or one treatment, else a list for each row.
 *
 * @param answers of one model's rows, at least one
 */
export function toPrediction(
  { model_type, feature_columns: columns }: Pick<Manifest, 'model_type' | 'feature_columns'>,
  answers: readonly ModelAnswer[],
): ModelPrediction {
  const counts = { n_samples: answers.length, n_features: columns.length };
  if (model_type === 'binary_classifier') {
    const predictions = answers.flatMap((each) => (each.type === model_type ? each.probability : []));
    return { predictions, model_type, ...counts };
  }
  const ofType = answers.filter((answer) => answer.type === model_type);
  const effects = ofType.map(({ causalEffects }) => causalEffects);
  const isFlat = effects.length === 1 || effects.every(({ length }) => length === 1);
  return {
    causal_effects: isFlat ? effects.flat() : effects,
    model_type,
    ...counts,
    regime_probabilities: ofType.map(({ regimeProbabilities }) => regimeProbabilities),
    dominant_regime: ofType.map(({ regimeProbabilities }) => dominantOf(regimeProbabilities)),
    uncertainty: ofType.map(({ uncertainty }) => uncertainty),
  };
}

/** The place of the greatest probability; of equals the first. */
export function dominantOf(probabilities: readonly number[]): number {
  return probabilities.indexOf(Math.max(...probabilities));
}
