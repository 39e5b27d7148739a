import fc from 'fast-check';
import { midRanks } from '../../../../../producers/cli/shadow-report/mid-ranks.ts';
import { rankCorrelation } from '../../../../../producers/cli/shadow-report/rank-correlation.ts';

const values = (...numbers: number[]) => Float64Array.from(numbers);

test('equal values share the mean of their places', () => {
  expect([...midRanks(values(0.3, 0.1, 0.3, 0.2, 0.3, 0.1))]).toEqual([5, 1.5, 5, 3, 5, 1.5]);
  expect([...midRanks(values())]).toEqual([]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 40 }), (numbers) => {
      const ranks = midRanks(Float64Array.from(numbers));
      for (const [place, number] of numbers.entries()) {
        const below = numbers.filter((other) => other < number).length;
        const equal = numbers.filter((other) => other === number).length;
        expect(ranks[place]).toBe(below + (equal + 1) / 2);
      }
    }),
  );
});

test('a textbook example, and one with ties by hand', () => {
  const iq = values(106, 100, 86, 101, 99, 103, 97, 113, 112, 110);
  const hours = values(7, 27, 2, 50, 28, 29, 20, 12, 6, 17);
  expect(rankCorrelation(iq, hours)).toBeCloseTo(-29 / 165, 12);
  // The ranks are 1, 2.5, 2.5, 4 and 1, 2, 3, 4.
  expect(rankCorrelation(values(0, 1, 1, 2), values(0, 1, 2, 3))).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
});

test('only the order counts', () => {
  const one = values(0.01, 0.2, 0.03, 0.9, 0.4);
  expect(
    rankCorrelation(
      one,
      one.map((value) => value ** 3),
    ),
  ).toBeCloseTo(1, 12);
  expect(
    rankCorrelation(
      one,
      one.map((value) => 1 - value),
    ),
  ).toBeCloseTo(-1, 12);
});

test('what is the same for all has no order', () => {
  expect(rankCorrelation(values(0.1, 0.2), values(0.5, 0.5))).toBeUndefined();
  expect(rankCorrelation(values(0.1), values(0.5))).toBeUndefined();
});
