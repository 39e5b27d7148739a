import { patternInWords, windowInWords } from '../../../../../producers/cli/demo/prediction-in-words.ts';

it.each([
  [[1, 2, 3, 4, 5], 'Mon-Fri 9-10 h'],
  [[6, 7], 'Sat Sun 9-10 h'],
  [[1, 2, 4], 'Mon Tue Thu 9-10 h'],
  [[3], 'Wed 9-10 h'],
])('names the weekdays %j', (weekdays, words) => {
  expect(patternInWords({ kind: 'time', activity: 'a', weekdays, hour_start: 9, hour_end: 10 })).toBe(words);
});

it('names what comes before', () => {
  const pattern = { kind: 'sequence', after: 'log_in', activity: 'report', within_minutes: 15 } as const;
  expect(patternInWords(pattern)).toBe('within 15 min of log_in');
});

it("tells a window by the user's own clock", () => {
  const from = new Date('2026-11-23T21:00:00Z');
  const words = (hours: number, timezone: string) =>
    // Intl puts narrow spaces where they look best.
    windowInWords(from, new Date(from.getTime() + hours * 3_600_000), timezone).replaceAll(/\s/g, ' ');
  expect(words(1, 'Europe/Berlin')).toBe('Mon 23 Nov, 22:00–23:00 Europe/Berlin');
  expect(words(24, 'Asia/Tokyo')).toBe('Tue 24 Nov, 06:00 – Wed 25 Nov, 06:00 Asia/Tokyo');
});
