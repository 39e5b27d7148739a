import { readActivityLog, type ActivityEvent } from '../../../../shared/patterns/activity-log.ts';
import { learnPopulation } from '../../../../shared/patterns/learn-population.ts';
import { dayMs, hourMs, weekdayOf } from '../../../../shared/patterns/local-day.ts';
import { pastExamples } from '../../../../shared/patterns/past-examples.ts';
import type { Pattern, TimePattern } from '../../../../shared/patterns/pattern.ts';
import { defaultPopulation } from '../../../../shared/patterns/population.ts';
import { proposePatterns } from '../../../../shared/patterns/propose-patterns.ts';
import { verifyPattern } from '../../../../shared/patterns/verify-pattern.ts';
import { createRandom } from '../../../../shared/sample-log/create-random.ts';

const window = { startDay: 20_500, endDay: 20_530 };
const users = 100;
const numbers = (count: number, from: number) =>
  Array.from({ length: count }, (_nothing, place) => from + place);
const monWedFri = [1, 3, 5];
const tueThu = [2, 4];

interface Habit {
  weekdays: readonly number[];
  hours: number;
  /** How often a day the activity is done at any other hour, too. */
  strayADay: number;
}

/** A user who trains on some weekdays, 95 % of the time, within some hours; and does four other things a day. */
function plantTraining(seed: number, { weekdays, hours, strayADay }: Habit) {
  const random = createRandom(seed);
  const events: ActivityEvent[] = [];
  const add = (activityType: string, day: number, hour: number) =>
    events.push({ activityType, occurredAtMs: Math.floor(day * dayMs + hour * hourMs), timezone: 'UTC' });
  const start = 7 + Math.floor(random() * 12);
  for (let day = window.startDay; day < window.endDay; day += 1) {
    if (weekdays.includes(weekdayOf(day)) && random() < 0.95) add('training', day, start + random() * hours);
    if (random() < strayADay) add('training', day, 7 + random() * 15);
    for (let left = Math.floor(random() * 9); left > 0; left -= 1) {
      add(`noise-${Math.floor(random() * 6)}`, day, 7 + random() * 15);
    }
  }
  return { events, start };
}

const learntFromOthers = learnPopulation(
  numbers(100, 50_000).flatMap((seed) => {
    const weekdays = seed % 2 === 0 ? monWedFri : tueThu;
    const { events } = plantTraining(seed, { weekdays, hours: 1 + (seed % 3 === 0 ? 1 : 0), strayADay: 0.1 });
    return pastExamples(events, window, 7);
  }),
);

describe.each([
  ['built in', defaultPopulation, 0],
  // Nine occasions prove little where the activity is done at other hours, too, unless it is known to hold for others.
  ['learnt from others', learntFromOthers, 0.2],
])('with the population %s', (_title, population, strayADay) => {
  it.each([
    { weekdays: monWedFri, hours: 1 },
    { weekdays: monWedFri, hours: 2 },
    { weekdays: tueThu, hours: 1 },
    { weekdays: tueThu, hours: 2 },
  ])('a habit of some weekdays is one pattern, for 8 of 10 users: %j', ({ weekdays, hours }) => {
    const found = numbers(users, 1_000).filter((seed) => {
      const { events, start } = plantTraining(seed, { weekdays, hours, strayADay });
      const log = readActivityLog(events, window);
      const isTraining = (pattern: Pattern) =>
        pattern.kind === 'time' &&
        pattern.activity === 'training' &&
        pattern.weekdays.join() === weekdays.join() &&
        pattern.hour_start <= start &&
        pattern.hour_end >= start + hours;
      const pattern = proposePatterns(log).find(isTraining);
      return pattern !== undefined && verifyPattern(pattern, log, population).confidence >= 0.6;
    });
    expect(found.length).toBeGreaterThanOrEqual(0.8 * users);
  });
});

it('no week speaks for a weekday that only it would have chosen, whoever proposed it', () => {
  const training = (day: number): ActivityEvent => ({
    activityType: 'training',
    occurredAtMs: day * dayMs + 9.5 * hourMs,
    timezone: 'UTC',
  });
  const days = numbers(28, window.startDay);
  const mondays = days.filter((day) => weekdayOf(day) === 1);
  const wednesday = days.findLast((day) => weekdayOf(day) === 3) ?? 0;
  const log = readActivityLog([...mondays, wednesday].map(training), {
    ...window,
    endDay: window.startDay + 28,
  });
  const pattern: TimePattern = {
    kind: 'time',
    activity: 'training',
    weekdays: [1, 3],
    hour_start: 9,
    hour_end: 10,
  };
  expect(verifyPattern(pattern, log, defaultPopulation)).toMatchObject({ hits: 4, occasions: 8 });
});
