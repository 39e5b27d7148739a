import { clockAheadMs } from '../../../../shared/clock/clock-ahead.ts';

test.each([
  [1_000, 1_000, 1_010, 0],
  [1_005, 1_000, 1_010, 0],
  [1_010, 1_000, 1_010, 0],
  [4_010, 1_000, 1_010, 3_000],
  [400, 1_000, 1_010, -600],
])('a clock that said %d between %d and %d is %d ms ahead', (serverMs, askedAtMs, answeredAtMs, aheadMs) => {
  expect(clockAheadMs(serverMs, askedAtMs, answeredAtMs)).toBe(aheadMs);
});
