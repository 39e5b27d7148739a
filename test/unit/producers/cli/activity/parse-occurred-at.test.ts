import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { createLocalTime } from '../../../../../producers/cli/activity/local-time.ts';
import { parseOccurredAt } from '../../../../../producers/cli/activity/parse-occurred-at.ts';

const instantOfLocalTime = createLocalTime();

function instant(text: string, timezone?: string): string | undefined {
  const ms = parseOccurredAt(text, timezone, instantOfLocalTime);
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

test.each([
  ['2026-01-15T09:12:30Z', undefined, '2026-01-15T09:12:30.000Z'],
  ['2026-01-15T09:12:30.1234567+01:00', 'America/New_York', '2026-01-15T08:12:30.123Z'],
  ['2026-01-15 09:12:30-0530', undefined, '2026-01-15T14:42:30.000Z'],
  ['2026-01-15t09:12z', undefined, '2026-01-15T09:12:00.000Z'],
  ['2026-01-15 09:12:30', undefined, '2026-01-15T09:12:30.000Z'],
  ['2026-01-15 09:12:30', 'America/New_York', '2026-01-15T14:12:30.000Z'],
  ['2026-07-15 09:12:30', 'america/new_york', '2026-07-15T13:12:30.000Z'],
  // Twice: the first one is meant. Skipped: as much later as the clocks were put forward.
  ['2026-11-01 01:30', 'America/New_York', '2026-11-01T05:30:00.000Z'],
  ['2026-03-08 02:30', 'America/New_York', '2026-03-08T07:30:00.000Z'],
  // Lord Howe puts its clocks forward by half an hour.
  ['2026-10-04 02:15', 'Australia/Lord_Howe', '2026-10-03T15:45:00.000Z'],
  ['2026-10-04 02:45', 'Australia/Lord_Howe', '2026-10-03T15:45:00.000Z'],
])('%s in %s is %s', (text, timezone, expected) => {
  expect(instant(text, timezone)).toBe(expected);
});

test.each([
  '',
  '2026-01-15',
  '2026-02-30T09:00:00Z',
  '2026-01-15T24:00:00Z',
  '2026-01-15T09:60:00Z',
  '2026-01-15T09:00:60Z',
  '2026-01-15T09:00:00+19:00',
  '2026-01-15T09:00:00+01:60',
  '15.01.2026 09:00',
  '1768468350',
  'yesterday',
])('%j is no date and time', (text) => {
  expect(instant(text)).toBeUndefined();
});

test('local times are those of the calendar, also around changes of the clocks', () => {
  const timezones = ['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC'];
  const anyTime = fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2035, 0) });
  const nearChange = fc
    .tuple(
      fc.constantFrom('2026-03-08T02', '2026-11-01T01', '2026-03-29T02', '2026-10-25T02', '2026-04-05T01'),
      fc.integer({ min: -7_200_000, max: 7_200_000 }),
    )
    .map(([hour, offMs]) => Date.parse(`${hour}:00:00Z`) + offMs);
  fc.assert(
    fc.property(fc.oneof(anyTime, nearChange), fc.constantFrom(...timezones), (localMs, timezone) => {
      const expected = Temporal.PlainDateTime.from(
        new Date(localMs).toISOString().slice(0, -1),
      ).toZonedDateTime(timezone).epochMilliseconds;
      expect(instantOfLocalTime(localMs, timezone)).toBe(expected);
    }),
    { numRuns: 3_000 },
  );
});
