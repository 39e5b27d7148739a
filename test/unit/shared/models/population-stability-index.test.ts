import * as fc from 'fast-check';
import { populationStabilityIndex } from '../../../../shared/models/population-stability-index.ts';

const counts = fc.array(fc.tuple(fc.nat({ max: 100_000 }), fc.nat({ max: 100_000 })), {
  minLength: 1,
  maxLength: 30,
});

it('is the sum of the shares’ differences times the logarithms of their ratios', () => {
  // Shares of 0.2 and 0.8 that became 0.4 and 0.6; half a row more or less in 10 million makes no difference.
  const expected = [2e6, 8e6];
  const actual = [4e6, 6e6];
  const byHand = 0.2 * Math.log(0.4 / 0.2) - 0.2 * Math.log(0.6 / 0.8);
  expect(populationStabilityIndex(expected, actual)).toBeCloseTo(byHand, 6);
});

it('is finite where a bin is empty', () => {
  const psi = populationStabilityIndex([0, 100], [100, 0]);
  expect(psi).toBeGreaterThan(5);
  expect(psi).toBeLessThan(20);
});

it('is 0 for the same counts, never below, and the same in both directions', () => {
  fc.assert(
    fc.property(counts, (pairs) => {
      const one = pairs.map(([count]) => count);
      const other = pairs.map(([, count]) => count);
      const psi = populationStabilityIndex(one, other);
      expect(populationStabilityIndex(one, one)).toBe(0);
      expect(Number.isFinite(psi)).toBe(true);
      expect(psi).toBeGreaterThanOrEqual(0);
      expect(populationStabilityIndex(other, one)).toBeCloseTo(psi, 9);
    }),
  );
});
