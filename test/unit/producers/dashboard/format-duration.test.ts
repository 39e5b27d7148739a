import { formatDuration } from '../../../../producers/dashboard/pages/format-duration.ts';

test.each([
  [-5, '0 ms'],
  [0, '0 ms'],
  [999.4, '999 ms'],
  [1_000, '1.0 s'],
  [59_900, '59.9 s'],
  [60_000, '1 min'],
  [184_000, '3 min 4 s'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [190_800_000, '2 d 5 h'],
])('%d ms is %s', (durationMs, expected) => {
  expect(formatDuration(durationMs)).toBe(expected);
});
