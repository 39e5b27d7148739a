import { prepareFeatures } from '../../../../shared/models/prepare-features.ts';
import { mergePrepared } from '../../../../workers/model-serving/merge-prepared.ts';
import { readSmallCausal } from '../../../support/small-causal.ts';

test('prepared apart and merged is prepared together', async () => {
  const { manifest } = await readSmallCausal();
  const prepare = prepareFeatures(manifest.feature_columns);
  const requests = [
    [{ rate: 1 }, { sector: 'shipping', spread: 'x' }],
    [{ rate: 99, sector: 'banks' }],
    [],
    [{ rate: null, spread: 2, sector: 'energy' }],
  ];
  expect(mergePrepared(requests.map((rows) => prepare(rows)))).toEqual(prepare(requests.flat()));
  const only = prepare([{ rate: 1 }]);
  expect(mergePrepared([only])).toBe(only);
});
