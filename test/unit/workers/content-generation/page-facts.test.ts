import * as fc from 'fast-check';
import type { UserEvent } from '../../../../shared/activity/read-user-activity.ts';
import { pageDocumentSchema } from '../../../../shared/pages/page-document.ts';
import { isPlainText } from '../../../../shared/pages/plain-text.ts';
import { patternSchema } from '../../../../shared/patterns/pattern.ts';
import { baselinePage } from '../../../../workers/content-generation/baseline-page.ts';
import { keepKnownLinks } from '../../../../workers/content-generation/keep-known-links.ts';
import { gatherFacts, type PageFacts } from '../../../../workers/content-generation/page-facts.ts';
import { pagePrompt } from '../../../../workers/content-generation/page-prompt.ts';
import type { Prediction } from '../../../../workers/content-generation/prediction.ts';

/** A Monday, 10:30 in Berlin. */
const nowMs = Date.parse('2026-11-23T09:30:00Z');
const minuteMs = 60_000;

const weekday: Prediction = {
  id: 1,
  userId: 'user_42',
  pageKey: 'dashboard',
  pattern: { kind: 'time', activity: 'dashboard', weekdays: [1, 2, 3, 4, 5], hour_start: 9, hour_end: 10 },
  reason: 'every working day',
  timezone: 'Europe/Berlin',
  windowStart: new Date('2026-11-24T08:00:00Z'),
  windowEnd: new Date('2026-11-24T09:00:00Z'),
};

const event = (
  activityType: string,
  minutesAgo: number,
  timezone: string | null = 'Europe/Berlin',
): UserEvent => ({
  activityType,
  occurredAt: new Date(nowMs - minutesAgo * minuteMs),
  timezone,
});
/** In the order of time. */
const habits: UserEvent[] = Array.from({ length: 10 }, (_, place) => 10 - place).flatMap((day) => [
  event('dashboard', day * 1_440 + 60),
  event('report', day * 1_440 + 50),
]);

describe('the facts', () => {
  test('window and recent activity are told on the user’s own clock', () => {
    const facts = gatherFacts(weekday, [...habits, event('login', 5), event('dashboard', 3)], nowMs);
    expect(facts.window).toEqual({
      from: 'Tue 2026-11-24 09:00',
      to: 'Tue 2026-11-24 10:00',
      timezone: 'Europe/Berlin',
    });
    // Today belongs to it, and what has nothing to do with the page does not.
    expect(facts.recent.slice(0, 3)).toEqual([
      ['dashboard', 'Mon 2026-11-23 10:27'],
      ['report', 'Sun 2026-11-22 09:40'],
      ['dashboard', 'Sun 2026-11-22 09:30'],
    ]);
    expect(facts.recent.map(([name]) => name)).not.toContain('login');
    expect(facts.recent).toHaveLength(12);
    expect(facts.activities[0]?.slice(0, 3)).toEqual(['dashboard', 11, 0]);
    expect(facts.pages).toEqual(['report', 'login']);
  });

  test.each([
    ['the row’s', 'Asia/Tokyo', 'Asia/Tokyo'],
    ['else the newest event’s that has one', null, 'Europe/Berlin'],
  ])('the clock is %s', (_, timezone, expected) => {
    const events = [event('dashboard', 50, 'America/New_York'), ...habits, event('dashboard', 1, null)];
    expect(gatherFacts({ ...weekday, timezone }, events, nowMs).window.timezone).toBe(expected);
  });

  test('a user of whom nothing is known has facts all the same', () => {
    expect(gatherFacts({ ...weekday, timezone: null, pattern: undefined, reason: null }, [], nowMs)).toEqual({
      page_key: 'dashboard',
      pattern: null,
      reason: null,
      window: { from: 'Tue 2026-11-24 08:00', to: 'Tue 2026-11-24 09:00', timezone: 'UTC' },
      days: 0,
      events: 0,
      activities: [],
      transitions: [],
      recent: [],
      pages: [],
    });
  });
});

describe('the page that a rule makes', () => {
  test('shows what the facts say, and that no model wrote it', () => {
    const facts = gatherFacts(weekday, habits, nowMs);
    expect(baselinePage(facts)).toEqual({
      title: 'dashboard',
      blocks: [
        { kind: 'paragraph', text: 'No model wrote this page: it shows your own recent activity.' },
        {
          kind: 'facts',
          items: [
            { label: 'Expected', value: 'Tue 2026-11-24 09:00 to Tue 2026-11-24 10:00' },
            { label: 'Usual', value: 'Mon, Tue, Wed, Thu, Fri from 9 to 10 h' },
            { label: 'Times in 11 days', value: '10' },
            { label: 'Days since the last time', value: '1' },
            { label: 'Mostly followed by', value: 'report' },
          ],
        },
        { kind: 'heading', text: 'Lately' },
        {
          kind: 'list',
          items: expect.arrayContaining(['Sun 2026-11-22 09:40: report', 'Sun 2026-11-22 09:30: dashboard']),
        },
        { kind: 'links', items: [{ label: 'report', page_key: 'report' }] },
      ],
    });
  });

  test('says of a sequence after what', () => {
    const pattern = { kind: 'sequence', after: 'login', activity: 'dashboard', within_minutes: 15 } as const;
    const { blocks } = baselinePage(gatherFacts({ ...weekday, pattern }, habits, nowMs));
    expect(JSON.stringify(blocks)).toContain('"within 15 minutes after login"');
  });
});

describe('whatever is in the log', () => {
  const name = fc.oneof(
    fc.constantFrom(
      'dashboard',
      'report',
      '</facts>',
      '<script>alert(1)</script>',
      'javascript:x',
      '](//x',
      '\u202e',
      ' ',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
    fc.string({ unit: 'binary', minLength: 120, maxLength: 128 }),
  );
  const events = fc.array(
    fc.record({
      name,
      minutesAgo: fc.integer({ min: 0, max: 40 * 1_440 }),
      repeats: fc.integer({ min: 1, max: 6 }),
    }),
    { maxLength: 30 },
  );
  const anyFacts = fc
    .record({
      events,
      pageKey: name,
      reason: fc.option(fc.string({ unit: 'binary', maxLength: 600 })),
      pattern: fc.option(
        fc.oneof(
          fc.constant(weekday.pattern),
          fc
            .record({ after: name, activity: name })
            .map((names) => patternSchema.safeParse({ kind: 'sequence', within_minutes: 15, ...names }).data),
        ),
        { nil: undefined },
      ),
      timezone: fc.constantFrom('Asia/Kathmandu', 'nowhere', '<b>', null),
    })
    .map(({ events: drawn, ...prediction }): PageFacts => {
      const log = drawn
        .flatMap(({ name: activity, minutesAgo, repeats }) =>
          Array.from({ length: repeats }, (_, place) => event(activity, minutesAgo + place * 1_440)),
        )
        .sort((one, other) => one.occurredAt.getTime() - other.occurredAt.getTime());
      return gatherFacts({ ...weekday, ...prediction }, log, nowMs);
    });

  test('the facts stay in their fence, are of bounded size, and hold names that a page may quote', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { user } = pagePrompt(facts);
        const match = /^[^<]*<facts>\n([^\n]*)\n<\/facts>[^<]*$/.exec(user);
        expect(JSON.parse(match?.[1] ?? '')).toEqual(facts);
        expect(user.length).toBeLessThan(40_000);
        const names = [facts.page_key, ...facts.pages, ...facts.activities.map(([first]) => first)];
        for (const text of [...names, ...facts.recent.map(([first]) => first)]) {
          expect(isPlainText(text)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('the rule makes a page that fits, whose links are known', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const page = baselinePage(facts);
        expect(pageDocumentSchema.parse(page)).toEqual(page);
        expect(keepKnownLinks(page, facts.pages)).toEqual(page);
      }),
      { numRuns: 300 },
    );
  });
});
