import * as fc from 'fast-check';
import type {
  CategoricalColumn,
  FeatureColumn,
  NumericColumn,
} from '../../../../shared/models/feature-column.ts';
import { columnProblems } from '../../../../shared/models/prepare-column.ts';
import { prepareFeatures, type FeatureRow } from '../../../../shared/models/prepare-features.ts';

const age: NumericColumn = {
  name: 'age',
  type: 'numeric',
  // As float32, both are a little farther out.
  min: 18.3,
  max: 95.3,
  mean: 40.5,
  missing: { strategy: 'constant', value: 38 },
  out_of_range: { strategy: 'clip' },
  histogram: { inner_edges: [], counts: [1] },
};
const job: CategoricalColumn = {
  name: 'job',
  type: 'categorical',
  vocabulary: ['admin.', 'student', 'unknown'],
  missing: { strategy: 'constant', value: 'unknown' },
  unknown_category: { strategy: 'constant', value: 'student' },
  histogram: { counts: [1, 1, 1] },
};

/** What one value becomes: the number that the model is given, the problem that is counted, and the row's coverage. */
function prepareOne(column: FeatureColumn, value: unknown) {
  const { features, rows, problems } = prepareFeatures([column])([{ [column.name]: value }]);
  const [row] = rows;
  const [problem] = Object.keys(problems.get(column.name) ?? {});
  if (row?.kind !== 'accepted') return { refused: row?.columns };
  return { value: features[0], problem, coverage: row.coverage };
}

describe('a numeric column', () => {
  it.each([
    [40, 40],
    [40.25, 40.25],
    ['40.25', 40.25],
    [' 40 ', 40],
    ['+4e1', 40],
    ['.5e2', 50],
    ['50.', 50],
  ])('takes %p as %p', (given, value) => {
    expect(prepareOne(age, given)).toEqual({ value, problem: undefined, coverage: 1 });
  });

  it('takes the ends of its range', () => {
    expect(prepareOne(age, 95.3)).toEqual({ value: Math.fround(95.3), problem: undefined, coverage: 1 });
    expect(prepareOne(age, '18.3')).toEqual({ value: Math.fround(18.3), problem: undefined, coverage: 1 });
  });

  it.each([
    ['missing', [undefined, null, '', '  ', '\t']],
    ['not_finite', [Number.NaN, Infinity, -Infinity, 'NaN', 'nan', 'Infinity', '-inf', 1e39, '1e400']],
    [
      'invalid',
      [true, false, [], [40], {}, { value: 40 }, 'forty', '0x28', '4 0', '40,5', '1_000', 40n, Symbol('40')],
    ],
  ])('has what is %s replaced', (problem, values) => {
    for (const value of values) expect(prepareOne(age, value)).toEqual({ value: 38, problem, coverage: 0 });
  });

  it.each([
    [{ strategy: 'mean' } as const, Math.fround(40.5)],
    [{ strategy: 'nan' } as const, Number.NaN],
  ])('has what is missing replaced as its manifest says: %p', (missing, value) => {
    expect(prepareOne({ ...age, missing }, null)).toEqual({ value, problem: 'missing', coverage: 0 });
  });

  it('has the row refused where nothing may stand in', () => {
    const strict: NumericColumn = { ...age, missing: { strategy: 'reject' } };
    expect(prepareOne(strict, null)).toEqual({ refused: [{ column: 'age', problem: 'missing' }] });
    expect(prepareOne(strict, 'NaN')).toEqual({ refused: [{ column: 'age', problem: 'not_finite' }] });
    expect(prepareOne(strict, true)).toEqual({ refused: [{ column: 'age', problem: 'invalid' }] });
    expect(prepareOne(strict, 120)).toMatchObject({ value: Math.fround(95.3), coverage: 1 });
  });

  it.each([
    ['clip', -1, { value: Math.fround(18.3), coverage: 1 }],
    ['clip', '120', { value: Math.fround(95.3), coverage: 1 }],
    ['keep', 120, { value: 120, coverage: 1 }],
    ['missing', 120, { value: 38, coverage: 0 }],
  ] as const)('what is out of range: %s', (strategy, given, expected) => {
    const column: NumericColumn = { ...age, out_of_range: { strategy } };
    expect(prepareOne(column, given)).toEqual({ ...expected, problem: 'out_of_range' });
  });
});

describe('a categorical column', () => {
  it('takes a category as its place in the vocabulary', () => {
    expect(job.vocabulary.map((category) => prepareOne(job, category).value)).toEqual([0, 1, 2]);
    expect(prepareOne(job, 'admin.')).toEqual({ value: 0, problem: undefined, coverage: 1 });
  });

  it.each([
    ['missing', 2, [undefined, null, '', ' ']],
    ['invalid', 2, [0, 1, true, [], ['student'], {}]],
    ['unknown_category', 1, ['Student', 'student ', 'constructor', '__proto__', 'NaN', '0']],
  ])('has what is %s replaced', (problem, value, given) => {
    for (const each of given) expect(prepareOne(job, each)).toEqual({ value, problem, coverage: 0 });
  });

  it('treats an unknown category as missing where its manifest says so', () => {
    const column: CategoricalColumn = { ...job, unknown_category: { strategy: 'missing' } };
    expect(prepareOne(column, 'pilot')).toEqual({ value: 2, problem: 'unknown_category', coverage: 0 });
    expect(prepareOne({ ...column, missing: { strategy: 'nan' } }, 'pilot').value).toBeNaN();
    expect(prepareOne({ ...column, missing: { strategy: 'reject' } }, 'pilot')).toEqual({
      refused: [{ column: 'job', problem: 'unknown_category' }],
    });
  });
});

describe('rows', () => {
  const strictAge: NumericColumn = { ...age, missing: { strategy: 'reject' } };

  it('keep their order, and a refused one leaves no gap', () => {
    const { features, rows } = prepareFeatures([strictAge, job])([
      { age: 20, job: 'admin.' },
      { job: 'student' },
      { age: '30', other: 1 },
    ]);
    expect([...features]).toEqual([20, 0, 30, 2]);
    expect(rows).toEqual([
      { kind: 'accepted', coverage: 1 },
      { kind: 'refused', columns: [{ column: 'age', problem: 'missing' }] },
      { kind: 'accepted', coverage: 0.5 },
    ]);
  });

  it('have their problems counted by column', () => {
    const { problems } = prepareFeatures([strictAge, job])([
      { age: 20, job: 'pilot' },
      { age: 'x', job: 'pilot' },
      { age: 200, job: 7 },
    ]);
    expect([...problems]).toEqual([
      ['job', { unknown_category: 2, invalid: 1 }],
      ['age', { invalid: 1, out_of_range: 1 }],
    ]);
  });

  it('have only features of their own: what every object has is none', () => {
    const named = ['constructor', 'toString', '__proto__'].map((name) => ({ ...age, name }));
    expect(prepareFeatures(named)([{}]).rows).toEqual([{ kind: 'accepted', coverage: 0 }]);
    const parsed = JSON.parse('{"__proto__": 20, "constructor": 21}') as FeatureRow;
    expect([...prepareFeatures(named)([parsed]).features]).toEqual([21, 38, 20]);
  });
});

const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
const numericColumn = fc.record({
  ends: fc.tuple(finite, finite).map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const),
  missing: fc.constantFrom(
    { strategy: 'constant', value: 7 } as const,
    { strategy: 'mean' } as const,
    { strategy: 'nan' } as const,
    { strategy: 'reject' } as const,
  ),
  outOfRange: fc.constantFrom('clip' as const, 'keep' as const, 'missing' as const),
});
const columns = fc.array(numericColumn, { minLength: 1, maxLength: 4 }).map((made) => [
  job,
  ...made.map(({ ends: [min, max], missing, outOfRange }, place): NumericColumn => ({
    ...age,
    name: `number_${place}`,
    min,
    max,
    mean: min,
    missing,
    out_of_range: { strategy: outOfRange },
  })),
]);
const value = fc.oneof(
  fc.anything(),
  fc.jsonValue(),
  fc.double(),
  fc.double().map(String),
  fc.constantFrom('admin.', 'student', '', 'NaN', null, undefined),
);
const rows = fc.array(
  fc.dictionary(fc.constantFrom('job', 'number_0', 'number_1', 'number_2', 'number_3', 'other'), value),
  { maxLength: 8 },
);

it('whatever the rows hold: nothing throws, what the model is given is stated, coverage is from 0 to 1', () => {
  fc.assert(
    fc.property(columns, rows, (someColumns, someRows) => {
      const { features, rows: prepared, problems } = prepareFeatures(someColumns)(someRows);
      const accepted = prepared.filter((row) => row.kind === 'accepted');
      expect(prepared).toHaveLength(someRows.length);
      expect(features).toHaveLength(accepted.length * someColumns.length);
      for (const { coverage } of accepted) {
        expect(coverage).toBeGreaterThanOrEqual(0);
        expect(coverage).toBeLessThanOrEqual(1);
      }
      for (const [place, feature] of features.entries()) {
        const column = someColumns[place % someColumns.length];
        const mayBeNaN = column?.missing.strategy === 'nan';
        expect(Number.isFinite(feature) || (mayBeNaN && Number.isNaN(feature))).toBe(true);
      }
      for (const counts of problems.values()) {
        expect(columnProblems).toEqual(expect.arrayContaining(Object.keys(counts)));
      }
    }),
  );
});

it('a row alone becomes what it becomes among others', () => {
  fc.assert(
    fc.property(columns, rows, (someColumns, someRows) => {
      const prepare = prepareFeatures(someColumns);
      const together = prepare(someRows);
      const alone = someRows.map((row) => prepare([row]));
      expect(together.rows).toEqual(alone.flatMap((each) => each.rows));
      expect([...together.features]).toEqual(alone.flatMap((each) => [...each.features]));
      for (const { name } of someColumns) {
        for (const problem of columnProblems) {
          const counted = alone.map((each) => each.problems.get(name)?.[problem] ?? 0);
          const sum = counted.reduce((total, count) => total + count, 0);
          expect(together.problems.get(name)?.[problem] ?? 0).toBe(sum);
        }
      }
    }),
  );
});
