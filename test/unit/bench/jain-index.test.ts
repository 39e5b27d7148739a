import { jainIndex } from '../../../bench/jain-index.ts';

test.each([
  [[5, 5, 5, 5], 1],
  [[1, 0, 0, 0], 0.25],
  [[3, 1], 0.8],
  [[7], 1],
])('of %j it is %d', (shares, expected) => {
  expect(jainIndex(shares)).toBeCloseTo(expected);
});

test('of nothing it is no number', () => {
  expect(jainIndex([])).toBeNaN();
});
