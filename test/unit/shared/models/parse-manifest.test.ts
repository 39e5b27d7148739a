import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { parseManifest } from '../../../../shared/models/parse-manifest.ts';
import { problemsAfter, problemsOf, setPart, type ManifestPart } from '../../../support/manifest-problems.ts';
import { root } from '../../../support/source-files.ts';

const bytes = readFileSync(path.join(root, 'models/lead-conversion/1.0.0/manifest.json'));

test('reads the manifest that comes with Presage', () => {
  const manifest = parseManifest(bytes);
  expect(manifest).toMatchObject({ model_id: 'lead-conversion', version: '1.0.0' });
  expect(manifest.feature_columns).toHaveLength(19);
  expect(manifest.feature_columns.map(({ name }) => name)).not.toContain('duration');
});

// The first column is a number (age), the second a category (job).
test.each<[string, unknown, string]>([
  [
    'model_id',
    'Lead Conversion',
    'model_id: must be 1 to 64 lower-case letters, digits or hyphens, no hyphen first',
  ],
  ['model_id', undefined, 'model_id: is missing'],
  ['version', '1.0', 'version: must be a semantic version such as 1.2.3'],
  ['version', '1.0.0+build', 'version: must be a semantic version such as 1.2.3'],
  ['version', '01.0.0', 'version: must be a semantic version such as 1.2.3'],
  [
    'model_type',
    'oracle',
    "model_type: Invalid discriminator value. Expected 'binary_classifier' | 'hybrid_causal_model'",
  ],
  [
    'model_type',
    undefined,
    "model_type: Invalid discriminator value. Expected 'binary_classifier' | 'hybrid_causal_model'",
  ],
  ['schema_version', 2, 'schema_version: Invalid input: expected 1'],
  ['owner', 'me', 'owner: is not known'],
  ['runtime/threads', 4, 'runtime.threads: is not known'],
  ['runtime/file', 'other.onnx', 'runtime.file: must be one of the files'],
  ['runtime/file', '__proto__', 'runtime.file: must be one of the files'],
  ['runtime/members', 0, 'runtime.members: Too small: expected number to be >=1'],
  ['feature_columns', [], 'feature_columns: Too small: expected array to have >=1 items'],
  ['feature_columns/1/name', 'age', 'feature_columns[1].name: must not be the name of another column too'],
  [
    'feature_columns/0/type',
    'date',
    "feature_columns[0].type: Invalid discriminator value. Expected 'numeric' | 'categorical'",
  ],
  ['feature_columns/0/min', 99, 'feature_columns[0].min: must not be above max'],
  ['feature_columns/0/mean', 99, 'feature_columns[0].mean: must be from min to max'],
  ['feature_columns/0/unit', 'years', 'feature_columns[0].unit: is not known'],
  [
    'feature_columns/0/missing',
    { strategy: 'guess' },
    "feature_columns[0].missing.strategy: Invalid discriminator value. Expected 'constant' | 'mean' | 'nan' | 'reject'",
  ],
  ['feature_columns/0/missing/value', undefined, 'feature_columns[0].missing.value: is missing'],
  [
    'feature_columns/0/histogram/counts',
    [1, 2],
    'feature_columns[0].histogram.counts: must have one number more than there are inner edges: 10, not 2',
  ],
  ['feature_columns/0/histogram/inner_edges/1', 28, 'feature_columns[0].histogram.inner_edges: must ascend'],
  [
    'feature_columns/1/vocabulary/1',
    'admin.',
    'feature_columns[1].vocabulary: must not name a category twice',
  ],
  ['feature_columns/1/missing/value', 'pilot', 'feature_columns[1].missing.value: must be in the vocabulary'],
  [
    'feature_columns/1/missing/strategy',
    'mean',
    "feature_columns[1].missing.strategy: Invalid discriminator value. Expected 'constant' | 'nan' | 'reject'",
  ],
  [
    'feature_columns/1/unknown_category/value',
    'pilot',
    'feature_columns[1].unknown_category.value: must be in the vocabulary',
  ],
  [
    'feature_columns/1/histogram/counts',
    [1],
    'feature_columns[1].histogram.counts: must have one number for each category: 12, not 1',
  ],
  [
    'score_histogram/counts',
    [1],
    'score_histogram.counts: must have one number more than there are inner edges: 10, not 1',
  ],
  ['files/model.onnx', undefined, 'runtime.file: must be one of the files'],
  [
    'calibration/method',
    'magic',
    "calibration.method: Invalid discriminator value. Expected 'sigmoid' | 'isotonic'",
  ],
  ['calibration/parameters/slope', -1, 'calibration.parameters.slope: Too small: expected number to be >0'],
  ['golden/tolerance', 0.5, 'golden.tolerance: Too big: expected number to be <=0.001'],
  ['golden/cases', [], 'golden.cases: Too small: expected array to have >=1 items'],
  ['golden/cases/0/input/height', 180, 'golden.cases[0].input.height: must be a column of the model'],
  ['golden/cases/0/input/__proto__x', 1, 'golden.cases[0].input.__proto__x: must be a column of the model'],
  [
    'golden/cases/0/expected/probability',
    1.1,
    'golden.cases[0].expected.probability: Too big: expected number to be <=1',
  ],
])('%s = %j is refused: %s', (fields, value, problem) => {
  expect(problemsAfter(bytes, setPart(fields, value))).toContain(problem);
});

test.each(['../model.onnx', 'sub/model.onnx', '/etc/passwd', '.hidden', 'manifest.json', '', 'a\\b'])(
  'a file %j is refused',
  (name) => {
    const stated = { sha256: 'a'.repeat(64), bytes: 1 };
    const [problem] = problemsAfter(bytes, (manifest) =>
      setPart(`files`, { ...manifest['files'], [name]: stated })(manifest),
    );
    expect(problem).toContain(`files[${JSON.stringify(name)}]`);
  },
);

test.each(['1.0.0', '0.0.0', '10.20.30-rc.1', '1.0.0-alpha-b.x.7'])('%s is a version', (version) => {
  expect(problemsAfter(bytes, setPart('version', version))).toEqual([]);
});

test('an isotonic calibration rises, and has knots of both coordinates', () => {
  const calibration = (knots: unknown) => ({
    method: 'isotonic',
    parameters: { knots },
    fitted_at: '2026-01-01T00:00:00Z',
    calibration_error: 0.01,
  });
  const low = { log_odds: -1, probability: 0.1 };
  const high = { log_odds: 1, probability: 0.1 };
  expect(problemsAfter(bytes, setPart('calibration', calibration([low, high])))).toEqual([]);
  const expected = [
    'calibration.parameters.knots: must ascend in log_odds and must not descend in probability',
  ];
  expect(problemsAfter(bytes, setPart('calibration', calibration([high, low])))).toEqual(expected);
  expect(
    problemsAfter(bytes, setPart('calibration', calibration([low, { ...high, probability: 0.05 }]))),
  ).toEqual(expected);
});

test('agreement needs members that can disagree', () => {
  const change = (members: number) => (manifest: ManifestPart) => {
    setPart('confidence/method', 'agreement')(manifest);
    setPart('runtime/members', members)(manifest);
  };
  expect(problemsAfter(bytes, change(2))).toEqual([]);
  expect(problemsAfter(bytes, change(1))).toEqual([
    'confidence.method: agreement needs at least two members',
  ]);
});

test('what is no JSON in UTF-8 is told, and no more than twenty problems', () => {
  expect(problemsOf('{')).toEqual(['is not JSON in UTF-8']);
  expect(problemsOf(Uint8Array.of(0x22, 0xff, 0x22))).toEqual(['is not JSON in UTF-8']);
  const problems = problemsAfter(bytes, (manifest) => {
    for (let number = 0; number < 30; number += 1) setPart(`extra${number}`, 1)(manifest);
  });
  expect(problems).toHaveLength(21);
  expect(problems.at(-1)).toBe('and 10 more problems');
});

test('any JSON is a manifest or a ManifestError', () => {
  fc.assert(
    fc.property(fc.json(), (content) => {
      expect(problemsOf(content).length).toBeGreaterThan(0);
    }),
  );
});
