import { retryAfterMs } from '../../../../shared/errors/retry-after.ts';

describe('retryAfterMs', () => {
  const nowMs = Date.parse('2026-11-21T12:00:00Z');

  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 120 ', 120_000],
    ['Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
    ['Sat, 21 Nov 2026 11:59:30 GMT', 0],
    ['soon', undefined],
    ['', undefined],
  ])('%j', (header, expected) => expect(retryAfterMs(header, nowMs)).toBe(expected));
});
