import type { ModelLease } from '../../../../shared/models/served-model.ts';
import { createRowCheck } from '../../../../workers/model-serving/check-rows.ts';
import { scoreRequest } from '../../../../workers/model-serving/score-request.ts';
import { readSmallCausal } from '../../../support/small-causal.ts';

const notAsked = () => Promise.reject(new Error('the model is not to be asked'));

test.each([
  ['reject', 'is missing, and the request does not ask to impute it'],
  ['impute', 'is missing, and the model has nothing that stands in for it'],
] as const)(
  'a value that is missing, with %s, is told apart from what could be imputed',
  async (how, detail) => {
    const { manifest } = await readSmallCausal();
    const columns = manifest.feature_columns.map((column) => ({
      ...column,
      missing: { strategy: 'reject' as const },
    }));
    const lease: ModelLease = {
      manifest,
      sha256: '0'.repeat(64),
      loadedAt: '2026-01-05T12:00:00.000Z',
      score: notAsked,
      scorePrepared: notAsked,
      [Symbol.dispose]: () => {},
    };
    const served = {
      acquire: () => lease,
      current: () => lease,
      problem: () => undefined,
      isAssigned: () => true,
      refresh: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const asked = scoreRequest(
      'small-causal',
      { served, batches: { score: notAsked }, rowCheckOf: () => createRowCheck(columns) },
      {
        rows: [{ rate: 1, sector: 'other' }],
        whenMissing: how,
        pointerTo: (row, column) => `#/${row}/${column}`,
        signal: new AbortController().signal,
      },
    );
    await expect(asked).rejects.toMatchObject({ status: 422, errors: [{ pointer: '#/0/spread', detail }] });
  },
);
