import { createTimezoneNames } from '../../../../shared/timezone/timezone-names.ts';

const isTimezone = createTimezoneNames();

test.each(['Europe/Berlin', 'europe/BERLIN', 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])(
  '%s is a timezone, also when it is asked for again',
  (name) => {
    expect([isTimezone(name), isTimezone(name)]).toEqual([true, true]);
  },
);

test.each(['', ' ', 'Mars/Olympus', '+02:00', '-0500', 'Z', 'UTC+2', 'Europe/Berlin ', '../etc/passwd'])(
  '%j is none',
  (text) => {
    expect([isTimezone(text), isTimezone(text)]).toEqual([false, false]);
  },
);
