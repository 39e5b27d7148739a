import type { Figures, ModelKind } from './model-kind.ts';

/** Probabilities of float32 add up to 1 within this. */
const sumTolerance = 1e-5;

/** The effect of each treatment, the probability of each regime, and a standard deviation, as the network says them. */
export const hybridCausalModel: ModelKind<'hybrid_causal_model'> = {
  outputs: ({ runtime: { outputs }, outputs: { treatments, regimes } }) => [
    { name: outputs.causal_effects, width: treatments.length },
    { name: outputs.regime_probabilities, width: regimes.length },
    { name: outputs.uncertainty, width: 1 },
  ],
  reader() {
    return ([effects, probabilities, deviation]) => {
      const uncertainty = deviation?.[0];
      if (!effects?.every(Number.isFinite) || !probabilities || !isStandardDeviation(uncertainty)) {
        return undefined;
      }
      if (!isDistribution(probabilities)) return undefined;
      return {
        type: 'hybrid_causal_model',
        causalEffects: [...effects],
        regimeProbabilities: [...probabilities],
        uncertainty,
      };
    };
  },
  golden: ({ golden }) =>
    golden.cases.map(({ expected }) =>
      figuresOf(expected.causal_effects, expected.regime_probabilities, expected.uncertainty),
    ),
  figures: ({ causalEffects, regimeProbabilities, uncertainty }) =>
    figuresOf(causalEffects, regimeProbabilities, uncertainty),
};

function isStandardDeviation(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value >= 0;
}

/** NaN is none, because it is not at least 0. */
function isDistribution(probabilities: Float32Array): boolean {
  const sum = probabilities.reduce((total, each) => total + each, 0);
  return probabilities.every((each) => each >= 0) && Math.abs(sum - 1) <= sumTolerance;
}

function figuresOf(
  effects: readonly number[],
  probabilities: readonly number[],
  uncertainty: number,
): Figures {
  return [
    ...effects.map((effect, place) => [`causal_effects[${place}]`, effect] as const),
    ...probabilities.map((each, place) => [`regime_probabilities[${place}]`, each] as const),
    ['uncertainty', uncertainty],
  ];
}
