import { createTimezoneNames } from '../../../../shared/timezone/timezone-names.ts';
import { readActivityLog } from '../../../../shared/patterns/activity-log.ts';
import { isActive } from '../../../../shared/patterns/is-active.ts';
import { learnPopulation } from '../../../../shared/patterns/learn-population.ts';
import { dayMs, daysBefore } from '../../../../shared/patterns/local-day.ts';
import { pastExamples } from '../../../../shared/patterns/past-examples.ts';
import { proposePatterns } from '../../../../shared/patterns/propose-patterns.ts';
import { verifyPattern } from '../../../../shared/patterns/verify-pattern.ts';
import { makeSampleLog } from '../../../../shared/sample-log/make-sample-log.ts';
import { userKinds } from '../../../../shared/sample-log/user-kinds.ts';

const options = { users: 300, days: 35, nowMs: Date.parse('2026-11-21T15:30:00Z') };
const users = [...makeSampleLog(options)];

/** The last 30 days of a user. */
function logOf({ events }: (typeof users)[number]) {
  const timezone = events[0]?.timezone ?? 'UTC';
  return readActivityLog(events, daysBefore(options.nowMs, timezone, 30));
}

describe('makeSampleLog', () => {
  it('makes the same log for the same seed and moment, and another one for another seed', () => {
    expect([...makeSampleLog(options)]).toEqual(users);
    expect([...makeSampleLog({ ...options, seed: 2 })]).not.toEqual(users);
  });

  it('has every kind of user, as often as it says', () => {
    expect(userKinds.reduce((sum, { ofHundred }) => sum + ofHundred, 0)).toBe(100);
    for (const { name, ofHundred } of userKinds) {
      expect(users.filter(({ kind }) => kind === name)).toHaveLength(3 * ofHundred);
    }
    expect(new Set(users.map(({ userId }) => userId)).size).toBe(options.users);
  });

  it('keeps to the days that were asked for, in order of time and on real clocks', () => {
    const isTimezone = createTimezoneNames();
    for (const { events } of users) {
      const times = events.map(({ occurredAtMs }) => occurredAtMs);
      expect(times.toSorted((one, other) => one - other)).toEqual(times);
      expect(times.at(-1)).toBeLessThan(options.nowMs);
      // A local day may have begun up to a day before the same day in UTC.
      expect(times[0]).toBeGreaterThan(options.nowMs - (options.days + 2) * dayMs);
      expect(new Set(events.map(({ timezone }) => timezone)).size).toBe(1);
      expect(isTimezone(events[0]?.timezone ?? '')).toBe(true);
    }
  });

  it('lets those be predicted who have habits, and hardly anybody else', () => {
    const examples = users.flatMap(({ events }) =>
      pastExamples(events, daysBefore(options.nowMs, events[0]?.timezone ?? 'UTC', 30), 7),
    );
    const population = learnPopulation(examples);
    const predictable = (kinds: readonly string[]) => {
      const logs = users.filter(({ kind }) => kinds.includes(kind)).map(logOf);
      const found = logs.filter((log) =>
        proposePatterns(log).some((pattern) => verifyPattern(pattern, log, population).confidence >= 0.7),
      );
      return found.length / logs.length;
    };
    expect(predictable(['office', 'manager', 'student', 'weekend cook', 'correspondent'])).toBeGreaterThan(
      0.95,
    );
    expect(predictable(['no habits', 'lost a habit', 'gone', 'newcomer'])).toBeLessThan(0.1);
  });

  it('has users who are not active any more', () => {
    const gone = users.filter(({ kind }) => kind === 'gone').map(logOf);
    expect(gone.length).toBeGreaterThan(0);
    expect(gone.filter(isActive)).toEqual([]);
  });
});
