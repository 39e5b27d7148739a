import { nextCallWindow } from '../../../../shared/call-window/next-call-window.ts';
import { createTimezoneNames } from '../../../../shared/timezone/timezone-names.ts';

const isTimezone = createTimezoneNames();

test.each(['Europe/Berlin', 'europe/BERLIN', 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])(
  '%s is a timezone, also when it is asked for again',
  (name) => {
    expect([isTimezone(name), isTimezone(name)]).toEqual([true, true]);
  },
);

test.each([
  '',
  ' ',
  'Mars/Olympus',
  '+02:00',
  '-0500',
  'Z',
  'UTC+2',
  'Europe/Berlin ',
  '../etc/passwd',
  'ACt',
  'IST',
  'PST',
])('%j is none', (text) => {
  expect([isTimezone(text), isTimezone(text)]).toEqual([false, false]);
});

test('every name that is taken can be computed with', () => {
  const taken = Intl.supportedValuesOf('timeZone').filter(isTimezone);
  expect(taken).toHaveLength(Intl.supportedValuesOf('timeZone').length);
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
  const abbreviations = letters.flatMap((first) =>
    letters.flatMap((second) => letters.map((third) => first + second + third)),
  );
  const pattern = { preferredDayOfWeek: [1], preferredHourRange: { start: 9, end: 10 } };
  for (const name of [...taken, ...abbreviations.filter(isTimezone)]) {
    expect(() => nextCallWindow(pattern, name, 0)).not.toThrow();
  }
});
