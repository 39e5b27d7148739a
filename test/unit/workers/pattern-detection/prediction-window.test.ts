import type { Pattern } from '../../../../shared/patterns/pattern.ts';
import { predictionWindow } from '../../../../workers/pattern-detection/prediction-window.ts';

const timezone = 'America/New_York';
const dashboard: Pattern = {
  kind: 'time',
  activity: 'dashboard',
  weekdays: [1, 2, 3, 4, 5],
  hour_start: 9,
  hour_end: 11,
};

function windowAt(now: string, pattern: Pattern = dashboard, done: readonly [string, string][] = []) {
  const events = done.map(([activityType, at]) => ({ activityType, occurredAtMs: Date.parse(at) }));
  const { startMs, endMs } = predictionWindow(pattern, { nowMs: Date.parse(now), timezone, events });
  return [new Date(startMs).toISOString(), new Date(endMs).toISOString()];
}

describe('predictionWindow', () => {
  it('is the next one on the user’s clock, across the change of the clocks', () => {
    // Friday evening before the clocks go forward.
    expect(windowAt('2026-03-06T23:00:00Z')).toEqual([
      '2026-03-09T13:00:00.000Z',
      '2026-03-09T15:00:00.000Z',
    ]);
  });

  const today = ['2026-03-11T13:00:00.000Z', '2026-03-11T15:00:00.000Z'];
  const tomorrow = ['2026-03-12T13:00:00.000Z', '2026-03-12T15:00:00.000Z'];

  it('is the one that is open, while nothing was done in it', () => {
    const before: [string, string][] = [
      ['dashboard', '2026-03-11T12:59:59.999Z'],
      ['other', '2026-03-11T13:20:00Z'],
    ];
    expect(windowAt('2026-03-11T13:30:00Z', dashboard, before)).toEqual(today);
  });

  it('is the one after it, once it was done', () => {
    expect(windowAt('2026-03-11T13:30:00Z', dashboard, [['dashboard', '2026-03-11T13:00:00Z']])).toEqual(
      tomorrow,
    );
  });

  it('of a sequence is the 24 hours from now', () => {
    const report: Pattern = { kind: 'sequence', after: 'login', activity: 'report', within_minutes: 15 };
    expect(windowAt('2026-03-11T13:30:00.123Z', report, [['report', '2026-03-11T13:30:00Z']])).toEqual([
      '2026-03-11T13:30:00.123Z',
      '2026-03-12T13:30:00.123Z',
    ]);
  });
});
