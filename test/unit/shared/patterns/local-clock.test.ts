import * as fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { localTime } from '../../../../shared/patterns/local-clock.ts';
import { daysBefore, localDay, weekdayOf } from '../../../../shared/patterns/local-day.ts';

const zones = [
  'UTC',
  'America/New_York',
  'Europe/London',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Africa/Casablanca',
  'America/St_Johns',
];

describe('localTime', () => {
  it('shows what the calendar shows, in whatever order zones and instants are asked', () => {
    const instant = fc.integer({ min: Date.UTC(1995, 0), max: Date.UTC(2045, 0) });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...zones), instant), { minLength: 1 }), (asked) => {
        for (const [zone, epochMs] of asked) {
          const shown = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(zone);
          expect(localTime(zone, epochMs)).toBe(epochMs + shown.offsetNanoseconds / 1e6);
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each(zones.filter((zone) => zone !== 'UTC'))(
    'is right to the millisecond when clocks change: %s',
    (zone) => {
      let change = Temporal.Instant.from('2005-01-01T00:00Z')
        .toZonedDateTimeISO(zone)
        .getTimeZoneTransition('next');
      for (let count = 0; change && count < 30; count += 1) {
        for (const epochMs of [change.epochMilliseconds, change.epochMilliseconds - 1]) {
          const shown = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(zone);
          expect(localTime(zone, epochMs)).toBe(epochMs + shown.offsetNanoseconds / 1e6);
        }
        change = change.getTimeZoneTransition('next');
      }
    },
  );

  it('takes a zone that nobody knows for UTC', () => {
    expect(localTime('Mars/Olympus_Mons', 1_000)).toBe(1_000);
  });
});

describe('local days', () => {
  it('begin at midnight of the user', () => {
    const epochMs = Date.parse('2026-03-08T04:59:59Z');
    const day = localDay('America/New_York', epochMs);
    expect(localDay('America/New_York', epochMs + 1_000)).toBe(day + 1);
    expect(weekdayOf(day)).toBe(6);
    expect(weekdayOf(-3)).toBe(1);
  });

  it('leave out today, which is not over', () => {
    const now = Date.parse('2026-03-08T12:00:00Z');
    expect(daysBefore(now, 'UTC', 30)).toEqual({
      startDay: now / 86_400_000 - 30.5,
      endDay: now / 86_400_000 - 0.5,
    });
  });
});
