import { didComeTrue } from '../../../../shared/patterns/did-come-true.ts';
import { nextOccurrence } from '../../../../shared/patterns/next-occurrence.ts';
import type { Pattern } from '../../../../shared/patterns/pattern.ts';

const sundays: Pattern = { kind: 'time', activity: 'a', weekdays: [7], hour_start: 1, hour_end: 4 };
const sequence: Pattern = { kind: 'sequence', after: 'login', activity: 'report', within_minutes: 15 };
const at = (text: string) => Date.parse(text);
const event = (activityType: string, text: string) => ({ activityType, occurredAtMs: at(text) });

describe('nextOccurrence', () => {
  it.each([
    ['put forward: an hour shorter', '2026-03-07T00:00:00Z', '2026-03-08T06:00:00Z', '2026-03-08T08:00:00Z'],
    ['put back: an hour longer', '2026-10-31T00:00:00Z', '2026-11-01T05:00:00Z', '2026-11-01T09:00:00Z'],
    ['open now: whole', '2026-06-07T06:30:00Z', '2026-06-07T05:00:00Z', '2026-06-07T08:00:00Z'],
  ])('of a time pattern is its window on the clock of the user; %s', (_title, now, start, end) => {
    expect(nextOccurrence(sundays, at(now), 'America/New_York')).toEqual({
      startMs: at(start),
      endMs: at(end),
    });
  });

  it('of a sequence is the day from now', () => {
    expect(nextOccurrence(sequence, 1_000, 'UTC')).toEqual({ startMs: 1_000, endMs: 86_401_000 });
  });
});

describe('didComeTrue', () => {
  const window = { startMs: at('2026-06-07T09:00:00Z'), endMs: at('2026-06-07T10:00:00Z') };

  it('looks for the activity in the window, whose end does not belong to it', () => {
    expect(didComeTrue(sundays, window, [event('a', '2026-06-07T09:00:00Z')])).toBe(true);
    expect(didComeTrue(sundays, window, [event('a', '2026-06-07T10:00:00Z')])).toBe(false);
    expect(didComeTrue(sundays, window, [event('b', '2026-06-07T09:30:00Z')])).toBe(false);
  });

  it('judges a sequence by the first time that its leading activity was done, in any order of events', () => {
    const led = event('login', '2026-06-07T09:10:00Z');
    expect(didComeTrue(sequence, window, [event('report', '2026-06-07T09:25:00Z'), led])).toBe(true);
    expect(didComeTrue(sequence, window, [event('report', '2026-06-07T09:25:01Z'), led])).toBe(false);
    expect(didComeTrue(sequence, window, [event('report', '2026-06-07T09:10:00Z'), led])).toBe(false);
    expect(
      didComeTrue(sequence, window, [
        event('report', '2026-06-07T09:05:00Z'),
        event('login', '2026-06-07T08:55:00Z'),
      ]),
    ).toBe(true);
  });

  it('says nothing of a sequence whose leading activity was not done', () => {
    expect(didComeTrue(sequence, window, [event('report', '2026-06-07T09:30:00Z')])).toBeUndefined();
  });
});
