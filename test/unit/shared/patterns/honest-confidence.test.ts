import { readActivityLog, type ActivityEvent } from '../../../../shared/patterns/activity-log.ts';
import { learnPopulation } from '../../../../shared/patterns/learn-population.ts';
import { dayMs, hourMs } from '../../../../shared/patterns/local-day.ts';
import { pastExamples } from '../../../../shared/patterns/past-examples.ts';
import type { Pattern } from '../../../../shared/patterns/pattern.ts';
import { defaultPopulation, type Population } from '../../../../shared/patterns/population.ts';
import { proposePatterns } from '../../../../shared/patterns/propose-patterns.ts';
import { verifyPattern } from '../../../../shared/patterns/verify-pattern.ts';
import { makeNoise, plantHabits } from '../../../support/plant-habits.ts';

/** 22 weekdays of 30 days, from a Monday. */
const window = { startDay: 20_500, endDay: 20_530 };
const users = 100;
const numbers = (count: number, from: number) =>
  Array.from({ length: count }, (_nothing, place) => from + place);

const learntFromHabits = learnPopulation(
  numbers(100, 50_000).flatMap((seed) => pastExamples(plantHabits(seed, window).events, window, 7)),
);

function findings(events: readonly ActivityEvent[], population: Population) {
  const log = readActivityLog(events, window);
  return proposePatterns(log).map((pattern) => ({ pattern, ...verifyPattern(pattern, log, population) }));
}

const isDashboard = (pattern: Pattern) =>
  pattern.kind === 'time' &&
  pattern.activity === 'dashboard' &&
  pattern.hour_start === 9 &&
  [1, 2, 3, 4, 5].every((weekday) => pattern.weekdays.includes(weekday));
const isReport = (pattern: Pattern) =>
  pattern.kind === 'sequence' && pattern.after === 'login' && pattern.activity === 'report';

describe.each([
  // Chance alone moves a user's own share of some 24 occasions by 0.07: the built-in population takes it as it is, and
  // only others tell how much of it is chance.
  ['built in', defaultPopulation, { asKept: 0.95, asPlanted: 0.85 }],
  ['learnt from others', learntFromHabits, { asKept: 0.85, asPlanted: 0.95 }],
])('with the population %s', (_title, population, { asKept, asPlanted }) => {
  it.each([1, 10])(
    'planted habits are found and stated as they are, among %d other events a day',
    (noise) => {
      const near = { dashboardKept: 0, dashboardPlanted: 0, reportKept: 0, reportPlanted: 0 };
      const isNear = (stated: number, truth: number) => (Math.abs(stated - truth) <= 0.1 ? 1 : 0);
      for (const seed of numbers(users, 1_000)) {
        const { events, dashboardShare, reportShare } = plantHabits(seed, window, noise);
        const found = findings(events, population);
        const dashboard = found.find(({ pattern }) => isDashboard(pattern))?.confidence ?? -1;
        const report = found.find(({ pattern }) => isReport(pattern))?.confidence ?? -1;
        near.dashboardKept += isNear(dashboard, dashboardShare);
        near.dashboardPlanted += isNear(dashboard, 0.9);
        near.reportKept += isNear(report, reportShare);
        near.reportPlanted += isNear(report, 0.85);
      }
      expect(Math.min(near.dashboardKept, near.reportKept)).toBeGreaterThanOrEqual(asKept * users);
      expect(Math.min(near.dashboardPlanted, near.reportPlanted)).toBeGreaterThanOrEqual(asPlanted * users);
    },
  );
});

it.each([
  { eventsADay: 0.5, activities: 2, from: 8, to: 22 },
  { eventsADay: 1, activities: 1, from: 8, to: 22 },
  { eventsADay: 3, activities: 5, from: 0, to: 24 },
  { eventsADay: 8, activities: 2, from: 8, to: 22 },
  { eventsADay: 20, activities: 5, from: 0, to: 24 },
  { eventsADay: 50, activities: 12, from: 8, to: 22 },
])('at most 1 user in 50 who does things at random gets a prediction: %o', (noise) => {
  const learntFromNoise = learnPopulation(
    numbers(30, 90_000).flatMap((seed) => pastExamples(makeNoise(seed, window, noise), window, 7)),
  );
  for (const population of [defaultPopulation, learntFromNoise]) {
    const misled = numbers(users, 7_000).filter((seed) =>
      findings(makeNoise(seed, window, noise), population).some(({ confidence }) => confidence >= 0.7),
    );
    expect(misled.length).toBeLessThanOrEqual(users / 50);
  }
});

describe('verifyPattern', () => {
  const everyMorning: Pattern = {
    kind: 'time',
    activity: 'dashboard',
    weekdays: [1, 2, 3, 4, 5, 6, 7],
    hour_start: 9,
    hour_end: 10,
  };
  const morningOf = (day: number): ActivityEvent => ({
    activityType: 'dashboard',
    occurredAtMs: day * dayMs + 9.5 * hourMs,
    timezone: 'UTC',
  });
  const days = numbers(30, window.startDay);
  const verify = (pattern: Pattern, events: readonly ActivityEvent[]) =>
    verifyPattern(pattern, readActivityLog(events, window), defaultPopulation);

  it('trusts a habit that lasts', () => {
    const verdict = verify(everyMorning, days.map(morningOf));
    expect(verdict).toMatchObject({ hits: 30, occasions: 30 });
    expect(verdict.confidence).toBeGreaterThan(0.9);
  });

  it('does not queue a habit that ended two weeks ago', () => {
    expect(verify(everyMorning, days.slice(0, 16).map(morningOf)).confidence).toBeLessThan(0.4);
  });

  it('trusts it less the more lately it ended', () => {
    const ended = [0, 3, 7, 10].map(
      (ago) => verify(everyMorning, days.slice(0, 30 - ago).map(morningOf)).confidence,
    );
    expect(ended).toEqual(ended.toSorted((one, other) => other - one));
    expect(ended[2]).toBeLessThan(0.7);
  });

  it('lets no week speak for the hour that only it would have chosen', () => {
    const sevenDays = days.slice(-7).map(morningOf);
    expect(verify(everyMorning, sevenDays).hits).toBe(0);
  });

  it('counts days before the first event as not observed', () => {
    expect(verify(everyMorning, days.slice(10).map(morningOf)).occasions).toBe(20);
  });

  it('finds no pattern in what the user does all day, whoever proposes it', () => {
    const allDay = days.flatMap((day) =>
      numbers(96, 0).map((quarter) => ({
        ...morningOf(day),
        occurredAtMs: day * dayMs + (quarter * hourMs) / 4,
      })),
    );
    expect(verify({ ...everyMorning, hour_end: 12 }, allDay).confidence).toBe(0);
    expect(proposePatterns(readActivityLog(allDay, window))).toEqual([]);
    const beat = [...allDay, ...days.map((day) => ({ ...morningOf(day), activityType: 'login' }))];
    const after: Pattern = { kind: 'sequence', after: 'login', activity: 'dashboard', within_minutes: 30 };
    expect(verify(after, beat).confidence).toBe(0);
  });

  it('gives an activity that never happened, or an empty log, no confidence', () => {
    expect(verify({ ...everyMorning, activity: 'unknown' }, days.map(morningOf)).confidence).toBe(0);
    expect(verify(everyMorning, [])).toEqual({ hits: 0, occasions: 0, confidence: 0 });
  });

  it('takes a burst of the leading activity for one occasion, and leaves out what is still open', () => {
    const minute = (day: number, minutes: number, activityType: string): ActivityEvent => ({
      activityType,
      occurredAtMs: day * dayMs + minutes * 60_000,
      timezone: 'UTC',
    });
    const pattern: Pattern = { kind: 'sequence', after: 'login', activity: 'report', within_minutes: 15 };
    const events = days
      .slice(0, 20)
      .flatMap((day) => [
        minute(day, 600, 'login'),
        minute(day, 602, 'login'),
        minute(day, 604, 'login'),
        minute(day, 610, 'report'),
      ]);
    const open = minute(window.endDay - 1, 24 * 60 - 5, 'login');
    expect(verify(pattern, [...events, open])).toMatchObject({ hits: 20, occasions: 20 });
  });
});
