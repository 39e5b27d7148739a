import { isPageEnough } from '../../../../workers/pattern-detection/is-page-enough.ts';

const nowMs = Date.parse('2026-03-11T12:00:00Z');
const tomorrow = { startMs: Date.parse('2026-03-12T09:00:00Z') };
const page = (windowStart: string | null, expiresAt = '2026-03-13T00:00:00Z') => ({
  expiresAt: new Date(expiresAt),
  windowStart: windowStart === null ? null : new Date(windowStart),
});

describe('isPageEnough', () => {
  it.each([
    ['none is there', undefined, false],
    ['it has expired', page('2026-03-12T09:00:00Z', '2026-03-11T12:00:00Z'), false],
    ['it was made for this very window', page('2026-03-12T09:00:00Z'), true],
    ['it was made for a window that has begun, before this one', page('2026-03-11T09:00:00Z'), false],
    ['it was made for a window that is still to come', page('2026-03-11T18:00:00Z'), true],
    ['nobody knows for which window it was made', page(null), true],
  ])('when %s', (_, known, expected) => {
    expect(isPageEnough(known, tomorrow, nowMs)).toBe(expected);
  });

  it('when it was made for the window that is open now', () => {
    const open = { startMs: Date.parse('2026-03-11T11:00:00Z') };
    expect(isPageEnough(page('2026-03-11T11:00:00Z'), open, nowMs)).toBe(true);
  });
});
