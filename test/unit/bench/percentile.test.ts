import { percentile } from '../../../bench/percentile.ts';

it.each([
  [95, 19],
  [50, 10],
  [51, 11],
  [100, 20],
  [1, 1],
])('finds the %i-th percentile of 1 to 20, in whatever order', (percent, expected) => {
  const values = Array.from({ length: 20 }, (_, place) => 20 - place);
  expect(percentile(values, percent)).toBe(expected);
});

it('knows none of nothing', () => {
  expect(percentile([], 50)).toBeNaN();
});
