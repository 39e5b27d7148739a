import type { ModelAnswer } from '../../../../shared/models/row-score.ts';
import { toPrediction } from '../../../../workers/model-serving/to-prediction.ts';

const manifest = { model_type: 'hybrid_causal_model' as const, feature_columns: [] };
const answer = (causalEffects: number[], regimeProbabilities = [0.25, 0.75]): ModelAnswer => ({
  type: 'hybrid_causal_model',
  causalEffects,
  regimeProbabilities,
  uncertainty: 0.5,
});

test('effects are flat for one row or one treatment, else a list for each row', () => {
  const effects = (...rows: number[][]) =>
    toPrediction(
      manifest,
      rows.map((row) => answer(row)),
    );
  expect(effects([1, 2, 3])).toMatchObject({ causal_effects: [1, 2, 3], n_samples: 1 });
  expect(effects([1], [2], [3])).toMatchObject({ causal_effects: [1, 2, 3], n_samples: 3 });
  expect(effects([1, 2], [3, 4])).toMatchObject({
    causal_effects: [
      [1, 2],
      [3, 4],
    ],
    regime_probabilities: [
      [0.25, 0.75],
      [0.25, 0.75],
    ],
    dominant_regime: [1, 1],
    uncertainty: [0.5, 0.5],
  });
});

test('of equally likely regimes the first dominates', () => {
  const rows = [answer([1], [0.2, 0.4, 0.4]), answer([1], [0.5, 0.5]), answer([1], [0, 0, 1])];
  expect(toPrediction(manifest, rows)).toMatchObject({ dominant_regime: [1, 0, 2] });
});
