import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bulkPredictionSchema } from '../../shared/contracts/model-serving.ts';
import { readSourceFiles, root } from '../support/source-files.ts';
import { servingSettings } from '../../shared/config/serving-settings.ts';
import { rowErrorCodes } from '../../workers/model-serving/result-line.ts';
import { toPrediction } from '../../workers/model-serving/to-prediction.ts';

const guide = readFileSync(join(root, 'docs/model-serving.md'), 'utf8');

const answer = toPrediction({ model_type: 'hybrid_causal_model', feature_columns: [] }, [
  { type: 'hybrid_causal_model', causalEffects: [1], regimeProbabilities: [0, 1], uncertainty: 1 },
]);

test.each([
  ['field of an answer', Object.keys(answer)],
  ['field of a summary', Object.keys(bulkPredictionSchema.shape)],
  ['error of a row', rowErrorCodes],
  ['setting', servingSettings.variables.filter((name) => /^SERVING_.*(ROWS|MS)$/.test(name))],
])('the guide to model serving names every %s', (_kind, names) => {
  expect(names.length).toBeGreaterThan(1);
  expect(names.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
});

test('every code, variable, metric and file that the guide names exists', () => {
  const sources = readSourceFiles().map(({ text }) => text);
  const named = [...guide.matchAll(/`([A-Z]+_[A-Z_]+|presage_[a-z_]+)/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((name) => !sources.some((text) => text.includes(name)))).toEqual([]);

  const links = [...guide.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, file = '']) => file);
  expect(links.length).toBeGreaterThan(2);
  expect(links.filter((file) => !existsSync(join(root, 'docs', file)))).toEqual([]);
});
