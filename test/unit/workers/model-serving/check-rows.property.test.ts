import fc from 'fast-check';
import { prepareFeatures } from '../../../../shared/models/prepare-features.ts';
import { createRowCheck } from '../../../../workers/model-serving/check-rows.ts';
import { readSmallCausal } from '../../../support/small-causal.ts';

const value = fc.oneof(
  fc.double(),
  fc.constantFrom('banks', 'energy', 'other', 'shipping', '', '2.5', 'nan'),
  fc.anything(),
);
const anyRow = fc.dictionary(fc.constantFrom('rate', 'spread', 'sector', 'note'), value, { maxKeys: 4 });
const usableRow = fc.record({
  rate: fc.float({ min: -1, max: 6, noNaN: true }),
  spread: fc.float({ min: -1, max: 3, noNaN: true }),
  sector: fc.constantFrom('banks', 'energy', 'other'),
});

test('usable rows go to the model as preparation alone would give them', async () => {
  const { feature_columns: columns } = (await readSmallCausal()).manifest;
  const [check, prepare] = [createRowCheck(columns), prepareFeatures(columns)];
  fc.assert(
    fc.property(
      fc.array(usableRow),
      fc.constantFrom('reject' as const, 'impute' as const),
      (rows, missing) => {
        const { prepared, treatment } = check(rows, missing);
        expect(prepared).toEqual(prepare(rows));
        expect([...treatment.imputed, ...treatment.outOfRange, ...treatment.ignored]).toEqual([]);
      },
    ),
  );
});

test('a row fares alone as it does among others, and a refused one is one that would be imputed', async () => {
  const { feature_columns: columns } = (await readSmallCausal()).manifest;
  const check = createRowCheck(columns);
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 8 }), (rows) => {
      for (const missing of ['reject', 'impute'] as const) {
        const { prepared } = check(rows, missing);
        const alone = rows.map((row) => check([row], missing).prepared);
        expect(prepared.rows).toEqual(alone.flatMap((each) => each.rows));
        expect([...prepared.features]).toEqual(alone.flatMap((each) => [...each.features]));
      }
      // Every column of the fixture has a value that stands in.
      const imputed = check(rows, 'impute').prepared.rows;
      for (const [place, row] of check(rows, 'reject').prepared.rows.entries()) {
        const filled = imputed[place];
        expect(filled).toMatchObject({ kind: 'accepted' });
        const coverage = filled?.kind === 'accepted' ? filled.coverage : 0;
        expect(row.kind === 'refused').toBe(coverage < 1);
      }
    }),
  );
});
