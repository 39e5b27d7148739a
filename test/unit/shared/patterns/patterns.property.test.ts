import * as fc from 'fast-check';
import { readActivityLog, type ActivityEvent } from '../../../../shared/patterns/activity-log.ts';
import { compactFacts } from '../../../../shared/patterns/compact-facts.ts';
import { pastExamples } from '../../../../shared/patterns/past-examples.ts';
import { patternSchema } from '../../../../shared/patterns/pattern.ts';
import { defaultPopulation } from '../../../../shared/patterns/population.ts';
import { proposePatterns } from '../../../../shared/patterns/propose-patterns.ts';
import { overlap } from '../../../../shared/patterns/propose-time-patterns.ts';
import { verifyPattern } from '../../../../shared/patterns/verify-pattern.ts';
import { createRandom } from '../../../../shared/sample-log/create-random.ts';
import { plantHabits } from '../../../support/plant-habits.ts';

const window = { startDay: 20_500, endDay: 20_530 };
/** Habits among other events, on one clock or on several, and some events that are anything. */
const log = fc
  .record({
    seed: fc.integer({ min: 0 }),
    noiseADay: fc.integer({ min: 0, max: 12 }),
    zones: fc.array(fc.constantFrom('UTC', 'America/New_York', 'Asia/Kathmandu'), {
      minLength: 1,
      maxLength: 3,
    }),
    others: fc.array(
      fc.record({
        activityType: fc.constantFrom('login', 'report', 'dashboard', ''),
        occurredAtMs: fc.integer({ min: window.startDay * 86_400_000, max: window.endDay * 86_400_000 }),
        timezone: fc.constantFrom('UTC', 'nowhere'),
      }),
      { maxLength: 60 },
    ),
  })
  .map(({ seed, noiseADay, zones, others }): ActivityEvent[] => [
    ...plantHabits(seed, window, noiseADay).events.map((event, place) => ({
      ...event,
      timezone: zones[place % zones.length] ?? 'UTC',
    })),
    ...others,
  ]);

it('what is proposed is well-formed, bounded, does not overlap, and gets a confidence from 0 to 1', () => {
  let proposed = 0;
  fc.assert(
    fc.property(log, (events) => {
      const read = readActivityLog(events, window);
      const patterns = proposePatterns(read);
      proposed += patterns.length;
      expect(patterns.length).toBeLessThanOrEqual(32);
      for (const [place, pattern] of patterns.entries()) {
        expect(patternSchema.parse(pattern)).toEqual(pattern);
        const { hits, occasions, confidence } = verifyPattern(pattern, read, defaultPopulation);
        expect(hits).toBeLessThanOrEqual(occasions);
        expect(confidence).toBeGreaterThan(0);
        expect(confidence).toBeLessThan(1);
        for (const other of patterns.slice(place + 1)) {
          if (pattern.kind === 'time' && other.kind === 'time') expect(overlap(pattern, other)).toBe(false);
          else expect(other).not.toMatchObject({ ...pattern, within_minutes: expect.any(Number) as number });
        }
      }
    }),
    { numRuns: 100 },
  );
  expect(proposed).toBeGreaterThan(50);
});

it('nothing depends on the order in which events come in', () => {
  fc.assert(
    fc.property(log, fc.integer(), (events, seed) => {
      const random = createRandom(seed);
      const shuffled = events
        .map((event) => ({ event, key: random() }))
        .sort((one, other) => one.key - other.key)
        .map(({ event }) => event);
      const [one, other] = [readActivityLog(events, window), readActivityLog(shuffled, window)];
      expect(proposePatterns(other)).toEqual(proposePatterns(one));
      expect(compactFacts(other)).toEqual(compactFacts(one));
    }),
    { numRuns: 50 },
  );
});

it('the past teaches the same whatever happens after it', () => {
  const { events } = plantHabits(1, { startDay: window.startDay, endDay: window.endDay + 30 });
  const known = events.filter(({ occurredAtMs }) => occurredAtMs < window.endDay * 86_400_000);
  const examples = pastExamples(events, window, 7);
  expect(examples.length).toBeGreaterThan(2);
  expect(pastExamples(known, window, 7)).toEqual(examples);
});

describe('compactFacts', () => {
  it('says when, how lately and after what', () => {
    const at = (activityType: string, day: number, minutes: number): ActivityEvent => ({
      activityType,
      occurredAtMs: (window.startDay + day) * 86_400_000 + minutes * 60_000,
      timezone: 'UTC',
    });
    const events = [0, 7, 14].flatMap((day) => [
      at('login', day, 545),
      at('report', day, 555),
      at('once', day, day * 60),
    ]);
    expect(compactFacts(readActivityLog(events, window))).toEqual({
      days: 30,
      events: 9,
      activities: [
        ['login', 3, 15, '1@9:3'],
        ['report', 3, 15, '1@9:3'],
      ],
      transitions: [['login', 'report', 3, 3, 10]],
    });
  });

  it('is small whatever the log holds', () => {
    const random = createRandom(3);
    const events = Array.from({ length: 20_000 }, (_nothing, place) => ({
      activityType: `${'\u{1f600}'.repeat(61)}${place % 300}`,
      occurredAtMs: Math.floor((window.startDay + random() * 30) * 86_400_000),
      timezone: 'UTC',
    }));
    const endless = {
      activityType: 'x'.repeat(1_000_000),
      occurredAtMs: events[0]?.occurredAtMs ?? 0,
      timezone: 'UTC',
    };
    const facts = compactFacts(readActivityLog([...events, endless, endless, endless], window));
    expect(facts.activities.length).toBeGreaterThan(0);
    expect(JSON.stringify(facts).length).toBeLessThanOrEqual(4_000);
  });
});
