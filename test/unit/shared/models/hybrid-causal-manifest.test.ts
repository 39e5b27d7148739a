import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseManifest } from '../../../../shared/models/parse-manifest.ts';
import { problemsAfter, setPart } from '../../../support/manifest-problems.ts';
import { root } from '../../../support/source-files.ts';

const bytes = readFileSync(path.join(root, 'test/fixtures/small-causal/1.0.0/manifest.json'));

test('reads the manifest of a hybrid causal model', () => {
  expect(parseManifest(bytes)).toMatchObject({
    model_type: 'hybrid_causal_model',
    runtime: { input: 'features', outputs: { uncertainty: 'uncertainty' } },
  });
});

const firstCase = 'golden/cases/0/expected';

// The model has two treatments and three regimes.
test.each<[string, unknown, string]>([
  ['runtime/output', 'all', 'runtime.output: is not known'],
  ['runtime/file', 'other.onnx', 'runtime.file: must be one of the files'],
  ['runtime/outputs/uncertainty', undefined, 'runtime.outputs.uncertainty: is missing'],
  [
    'runtime/outputs/uncertainty',
    'causal_effects',
    'runtime.outputs.uncertainty: must not be another output too',
  ],
  ['outputs/treatments', [], 'outputs.treatments: Too small: expected array to have >=1 items'],
  [
    'outputs/treatments/1/name',
    'rate_rise',
    'outputs.treatments[1].name: must not be the name of another of the treatments',
  ],
  [
    'outputs/regimes',
    [{ name: 'calm', description: 'always' }],
    'outputs.regimes: Too small: expected array to have >=2 items',
  ],
  [
    'outputs/regimes/2/name',
    'calm',
    'outputs.regimes[2].name: must not be the name of another of the regimes',
  ],
  ['outputs/uncertainty/of', undefined, 'outputs.uncertainty.of: is missing'],
  ['outputs/uncertainty/level', 1, 'outputs.uncertainty.level: Too big: expected number to be <1'],
  [
    'outputs/uncertainty/realised_coverage',
    1.5,
    'outputs.uncertainty.realised_coverage: Too big: expected number to be <=1',
  ],
  ['effects/outcome', undefined, 'effects.outcome: is missing'],
  ['calibration', {}, 'calibration: is not known'],
  ['feature_columns/1/name', 'rate', 'feature_columns[1].name: must not be the name of another column too'],
  ['golden/cases/0/input/height', 180, 'golden.cases[0].input.height: must be a column of the model'],
  ['golden/tolerance', 0.01, 'golden.tolerance: Too big: expected number to be <=0.001'],
  [
    `${firstCase}/causal_effects`,
    [0.1],
    'golden.cases[0].expected.causal_effects: must have one number for each treatment: 2, not 1',
  ],
  [
    `${firstCase}/regime_probabilities`,
    [0.5, 0.5],
    'golden.cases[0].expected.regime_probabilities: must have one number for each regime: 3, not 2',
  ],
  [
    `${firstCase}/regime_probabilities`,
    [0.5, 0.5, 0.25],
    'golden.cases[0].expected.regime_probabilities: must add up to 1, not to 1.25',
  ],
  [
    `${firstCase}/uncertainty`,
    -0.1,
    'golden.cases[0].expected.uncertainty: Too small: expected number to be >=0',
  ],
])('%s = %j is refused: %s', (fields, value, problem) => {
  expect(problemsAfter(bytes, setPart(fields, value))).toContain(problem);
});

test('probabilities that were rounded to three digits are taken', () => {
  expect(problemsAfter(bytes, setPart(`${firstCase}/regime_probabilities`, [0.333, 0.333, 0.333]))).toEqual(
    [],
  );
});
