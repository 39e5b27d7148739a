import * as fc from 'fast-check';
import { nextCallWindow, type CallPattern } from '../../../../shared/call-window/next-call-window.ts';
import { callWindowSchema } from '../../../../shared/contracts/call-time-prediction.ts';
import { readClocks, type Clocks } from './read-clocks.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

function pattern(days: number[], start: number, end: number): CallPattern {
  return { preferredDayOfWeek: days, preferredHourRange: { start, end } };
}

const weekdays = [1, 2, 3, 4, 5];

describe('nextCallWindow', () => {
  it.each([
    [
      'open now: the whole window',
      'Asia/Jerusalem',
      weekdays,
      10,
      18,
      '2026-11-23T12:00:00Z',
      '2026-11-23T08:00:00Z/2026-11-23T16:00:00Z',
    ],
    [
      'later today',
      'Asia/Jerusalem',
      weekdays,
      10,
      18,
      '2026-11-23T05:00:00Z',
      '2026-11-23T08:00:00Z/2026-11-23T16:00:00Z',
    ],
    [
      'at its end: the next one',
      'Asia/Jerusalem',
      weekdays,
      10,
      18,
      '2026-11-23T16:00:00Z',
      '2026-11-24T08:00:00Z/2026-11-24T16:00:00Z',
    ],
    [
      'a millisecond before its end',
      'Asia/Jerusalem',
      weekdays,
      10,
      18,
      '2026-11-23T15:59:59.999Z',
      '2026-11-23T08:00:00Z/2026-11-23T16:00:00Z',
    ],
    [
      'Friday evening: Monday',
      'Europe/London',
      weekdays,
      10,
      18,
      '2026-11-20T19:00:00Z',
      '2026-11-23T10:00:00Z/2026-11-23T18:00:00Z',
    ],
    [
      'today, but over: in a week',
      'UTC',
      [3],
      9,
      10,
      '2026-11-25T10:00:00Z',
      '2026-12-02T09:00:00Z/2026-12-02T10:00:00Z',
    ],
    ['Sunday as 0', 'UTC', [0], 9, 10, '2026-11-21T00:00:00Z', '2026-11-22T09:00:00Z/2026-11-22T10:00:00Z'],
    ['Sunday as 7', 'UTC', [7], 9, 10, '2026-11-21T00:00:00Z', '2026-11-22T09:00:00Z/2026-11-22T10:00:00Z'],
    [
      '24 is the next midnight',
      'Asia/Kathmandu',
      [6],
      23,
      24,
      '2026-11-21T00:00:00Z',
      '2026-11-21T17:15:00Z/2026-11-21T18:15:00Z',
    ],
    [
      'a zone with a day ahead of UTC',
      'Pacific/Kiritimati',
      [1],
      0,
      1,
      '2026-11-22T09:59:00Z',
      '2026-11-22T10:00:00Z/2026-11-22T11:00:00Z',
    ],
    [
      'begins in a gap: at the change',
      'America/New_York',
      [0],
      2,
      5,
      '2026-03-08T00:00:00Z',
      '2026-03-08T07:00:00Z/2026-03-08T09:00:00Z',
    ],
    [
      'ends in a gap: at the change',
      'America/New_York',
      [0],
      0,
      2,
      '2026-03-08T00:00:00Z',
      '2026-03-08T05:00:00Z/2026-03-08T07:00:00Z',
    ],
    [
      'whole in a gap: a week later',
      'America/New_York',
      [0],
      2,
      3,
      '2026-03-08T00:00:00Z',
      '2026-03-15T06:00:00Z/2026-03-15T07:00:00Z',
    ],
    [
      'over a gap: an hour shorter',
      'America/New_York',
      [0],
      0,
      12,
      '2026-03-08T00:00:00Z',
      '2026-03-08T05:00:00Z/2026-03-08T16:00:00Z',
    ],
    [
      'begins in an overlap: at its first pass',
      'America/New_York',
      [0],
      1,
      3,
      '2026-11-01T00:00:00Z',
      '2026-11-01T05:00:00Z/2026-11-01T08:00:00Z',
    ],
    [
      'ends in an overlap: at its first pass',
      'America/New_York',
      [0],
      0,
      1,
      '2026-11-01T00:00:00Z',
      '2026-11-01T04:00:00Z/2026-11-01T05:00:00Z',
    ],
    [
      'over an overlap: an hour longer',
      'America/New_York',
      [0],
      0,
      12,
      '2026-11-01T00:00:00Z',
      '2026-11-01T04:00:00Z/2026-11-01T17:00:00Z',
    ],
    [
      'in the second pass of an overlap',
      'America/New_York',
      [0],
      1,
      2,
      '2026-11-01T06:30:00Z',
      '2026-11-01T05:00:00Z/2026-11-01T07:00:00Z',
    ],
    [
      'a gap of half an hour',
      'Australia/Lord_Howe',
      [0],
      2,
      3,
      '2026-10-03T00:00:00Z',
      '2026-10-03T15:30:00Z/2026-10-03T16:00:00Z',
    ],
    [
      'a gap at midnight: begins at 1',
      'Africa/Cairo',
      [5],
      0,
      3,
      '2026-04-23T00:00:00Z',
      '2026-04-23T22:00:00Z/2026-04-24T00:00:00Z',
    ],
    [
      'a gap at midnight: the day before ends with it',
      'Asia/Beirut',
      [6],
      22,
      24,
      '2026-03-28T00:00:00Z',
      '2026-03-28T20:00:00Z/2026-03-28T22:00:00Z',
    ],
    [
      'a day that did not take place',
      'Pacific/Apia',
      [5],
      10,
      18,
      '2011-12-29T12:00:00Z',
      '2012-01-05T20:00:00Z/2012-01-06T04:00:00Z',
    ],
  ])('%s', (_, timezone, days, start, end, now, expected) => {
    const window = nextCallWindow(pattern(days, start, end), timezone, Date.parse(now));
    expect(`${window.start}/${window.end}`).toBe(expected);
    expect(callWindowSchema.safeParse(window).success).toBe(true);
  });

  it('refuses an unknown timezone', () => {
    expect(() => nextCallWindow(pattern(weekdays, 10, 18), 'Mars/Olympus', 0)).toThrow(RangeError);
  });

  const zones: [string, string, string][] = [
    ['America/New_York', '2025-01-01', '2028-01-01'],
    ['Australia/Lord_Howe', '2025-01-01', '2028-01-01'],
    ['Africa/Cairo', '2025-01-01', '2028-01-01'],
    ['Asia/Beirut', '2025-01-01', '2028-01-01'],
    ['Pacific/Apia', '2011-06-01', '2012-06-01'],
    ['Pacific/Chatham', '2025-01-01', '2028-01-01'],
    ['America/Scoresbysund', '2025-01-01', '2028-01-01'],
    ['Atlantic/Azores', '2025-01-01', '2028-01-01'],
    ['America/Havana', '2025-01-01', '2028-01-01'],
    ['Antarctica/Troll', '2025-01-01', '2028-01-01'],
    ['America/St_Johns', '2006-01-01', '2010-01-01'],
    ['Europe/Dublin', '2025-01-01', '2028-01-01'],
    ['Africa/Casablanca', '2025-01-01', '2028-01-01'],
    ['Asia/Jerusalem', '2025-01-01', '2028-01-01'],
    ['Asia/Kathmandu', '2025-01-01', '2026-01-01'],
    ['Pacific/Kiritimati', '2025-01-01', '2026-01-01'],
    ['UTC', '2025-01-01', '2026-01-01'],
  ];

  const anyPattern = fc
    .record({
      days: fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 8 }),
      hours: fc.uniqueArray(fc.integer({ min: 0, max: 24 }), { minLength: 2, maxLength: 2 }),
    })
    .map(({ days, hours }) => pattern(days, Math.min(...hours), Math.max(...hours)));

  describe.each(zones)('in %s', (timezone, from, to) => {
    let clocks: Clocks;
    beforeAll(() => {
      clocks = readClocks(timezone, Date.parse(from), Date.parse(to));
    });

    it('finds the first minutes from now on that belong to the pattern, and none that does not', () => {
      // Most instants lie around a change of the clocks, to the millisecond, the others anywhere.
      const anywhere = fc.integer({ min: Date.parse(from), max: Date.parse(to) - 30 * dayMs });
      const aroundChange = fc
        .tuple(
          fc.constantFrom(...(clocks.changesMs.length > 0 ? clocks.changesMs : [Date.parse(from)])),
          fc.integer({ min: -9 * dayMs, max: dayMs }),
        )
        .map(([changeMs, offsetMs]) => changeMs + offsetMs);
      fc.assert(
        fc.property(anyPattern, fc.oneof({ weight: 4, arbitrary: aroundChange }, anywhere), (any, nowMs) => {
          const window = nextCallWindow(any, timezone, nowMs);
          const startMs = Date.parse(window.start);
          const endMs = Date.parse(window.end);
          expect(startMs).toBeLessThan(endMs);
          expect(endMs).toBeGreaterThan(nowMs);
          const belongs = (instantMs: number) => clocks.belongs(any, instantMs);
          expect(minutes(startMs, endMs).every(belongs)).toBe(true);
          expect(belongs(endMs - 1)).toBe(true);
          expect([nowMs, ...minutes(nowMs, startMs)].filter((ms) => ms < startMs).some(belongs)).toBe(false);
        }),
        { numRuns: 200 },
      );
    });
  });
});

/** The whole minutes from one instant until before another, and the first instant itself. */
function minutes(fromMs: number, untilMs: number): number[] {
  const instants = fromMs < untilMs ? [fromMs] : [];
  for (let ms = Math.ceil(fromMs / minuteMs) * minuteMs; ms < untilMs; ms += minuteMs) instants.push(ms);
  return instants;
}
