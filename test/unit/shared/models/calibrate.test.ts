import * as fc from 'fast-check';
import { calibrate } from '../../../../shared/models/calibrate.ts';
import type { Calibration } from '../../../../shared/models/manifest.ts';

const fitted = { fitted_at: '2026-01-31T12:00:00Z', calibration_error: 0.01 };
const sigmoid = (slope: number, intercept: number): Calibration => ({
  method: 'sigmoid',
  parameters: { slope, intercept },
  ...fitted,
});
const isotonic = (...knots: [logOdds: number, probability: number][]): Calibration => ({
  method: 'isotonic',
  parameters: { knots: knots.map(([log_odds, probability]) => ({ log_odds, probability })) },
  ...fitted,
});

it('the sigmoid with slope 1 and intercept 0 takes log-odds at their word', () => {
  const toProbability = calibrate(sigmoid(1, 0));
  expect(toProbability(0)).toBe(0.5);
  expect(toProbability(Math.log(0.2 / 0.8))).toBeCloseTo(0.2, 12);
  expect(toProbability(Math.log(0.999 / 0.001))).toBeCloseTo(0.999, 12);
});

it('the sigmoid moves and stretches log-odds', () => {
  expect(calibrate(sigmoid(2, -1))(0.5)).toBe(0.5);
  expect(calibrate(sigmoid(0.5, 0))(2)).toBeCloseTo(Math.E / (1 + Math.E), 12);
});

it('log-odds that leave no doubt give 0 and 1', () => {
  const toProbability = calibrate(sigmoid(1, 0));
  expect([toProbability(-1e9), toProbability(1e9)]).toEqual([0, 1]);
});

it('the isotonic calibration goes straight from knot to knot and no further', () => {
  const toProbability = calibrate(isotonic([-2, 0.1], [0, 0.3], [0.5, 0.3], [1, 0.9]));
  expect([-2, 0, 0.5, 1].map(toProbability)).toEqual([0.1, 0.3, 0.3, 0.9]);
  expect([-9, -1, 0.25, 0.75, 9].map(toProbability)).toEqual([
    0.1,
    expect.closeTo(0.2, 12),
    0.3,
    expect.closeTo(0.6, 12),
    0.9,
  ]);
});

it('the isotonic calibration does not step over a knot by rounding', () => {
  // 0.3 + (0.9 - 0.3) is above 0.9 in floating point.
  const toProbability = calibrate(isotonic([-3, 0.3], [0.001, 0.9]));
  const justBelow = 0.001 - 2 ** -62;
  expect(justBelow).toBeLessThan(0.001);
  expect(toProbability(justBelow)).toBe(0.9);
});

const logOdds = fc.double({ min: -1e3, max: 1e3, noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const anyCalibration = fc.oneof(
  fc
    .tuple(fc.double({ min: 1e-6, max: 1e3, noNaN: true }), fc.double({ min: -100, max: 100, noNaN: true }))
    .map(([slope, intercept]) => sigmoid(slope, intercept)),
  fc
    .uniqueArray(fc.tuple(logOdds, share), { minLength: 2, maxLength: 20, selector: ([x]) => x })
    .map((points) => {
      const ascending = points.map(([x]) => x).sort((one, other) => one - other);
      const shares = points.map(([, y]) => y).sort((one, other) => one - other);
      return isotonic(...ascending.map((x, place): [number, number] => [x, shares[place] ?? 1]));
    }),
);

it('every calibration answers from 0 to 1 and never descends', () => {
  fc.assert(
    fc.property(anyCalibration, fc.array(logOdds, { minLength: 2 }), (calibration, points) => {
      const knots = calibration.method === 'isotonic' ? calibration.parameters.knots : [];
      const ascending = [...points, ...knots.map((knot) => knot.log_odds)].sort((one, other) => one - other);
      const probabilities = ascending.map(calibrate(calibration));
      for (const [place, probability] of probabilities.entries()) {
        expect(probability).toBeGreaterThanOrEqual(0);
        expect(probability).toBeLessThanOrEqual(1);
        // Of the sigmoid, up to the rounding of exp, which is not promised to ascend in its last digit.
        expect(probability).toBeGreaterThanOrEqual((probabilities[place - 1] ?? 0) - Number.EPSILON);
      }
    }),
  );
});
