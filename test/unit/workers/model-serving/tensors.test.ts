import type { HybridCausalModel } from '../../../../shared/models/manifest.ts';
import { inputsOf, rowsOfTensors } from '../../../../workers/model-serving/tensors.ts';
import { readSmallCausal } from '../../../support/small-causal.ts';

let numeric: HybridCausalModel;
beforeAll(async () => {
  const { manifest } = await readSmallCausal();
  numeric = {
    ...manifest,
    feature_columns: manifest.feature_columns.filter(({ type }) => type === 'numeric'),
  };
});

test('where all columns are numbers, one tensor holds them all', () => {
  expect(inputsOf(numeric)).toEqual([{ name: 'features', datatype: 'FP32', shape: [-1, 2] }]);
  const rows = [
    { rate: 1, spread: 2 },
    { rate: 3, spread: 4 },
  ];
  const tensor = { name: 'features', shape: [2, 2], datatype: 'FP32' as const };
  expect(rowsOfTensors(numeric, [{ ...tensor, data: [1, 2, 3, 4] }], 2)).toEqual(rows);
  const nested = [
    [1, 2],
    [3, 4],
  ];
  expect(rowsOfTensors(numeric, [{ ...tensor, data: nested }], 2)).toEqual(rows);
  expect(() => rowsOfTensors(numeric, [{ ...tensor, data: nested }], 1)).toThrow('at most 1 rows');
  expect(() => rowsOfTensors(numeric, [{ ...tensor, shape: [2, 3], data: nested }], 2)).toThrow(
    'features has the shape [2, 3], not [2, 2]',
  );
});

test('two tensors of one name are refused: one of them would be lost', () => {
  const tensor = { name: 'rate', shape: [1, 1], datatype: 'FP32' as const, data: [1] };
  expect(() => rowsOfTensors(numeric, [tensor, { ...tensor, data: [2] }], 2)).toThrow('a name of its own');
});

test('a column of the name of the whole input makes it ambiguous', () => {
  const [first, ...others] = numeric.feature_columns;
  if (!first) throw new Error('there are columns');
  const manifest = { ...numeric, feature_columns: [{ ...first, name: 'features' }, ...others] };
  const data = [1, 2];
  const tensor = { name: 'features', shape: [1, 2], datatype: 'FP32' as const, data };
  expect(() => rowsOfTensors(manifest, [tensor], 2)).toThrow('send a tensor for each column');
});
