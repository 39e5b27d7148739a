import * as fc from 'fast-check';
import { readActivityLog } from '../../../../shared/patterns/activity-log.ts';
import { patternSchema } from '../../../../shared/patterns/pattern.ts';
import { parseAnswer } from '../../../../shared/text-generation/parse-answer.ts';
import { proposalAnswerSchema } from '../../../../workers/pattern-detection/proposal-answer.ts';
import { readProposals } from '../../../../workers/pattern-detection/read-proposals.ts';

const log = readActivityLog(
  ['dashboard', 'login', 'report'].map((activityType, index) => ({
    activityType,
    occurredAtMs: 1_700_000_000_000 + index,
    timezone: 'UTC',
  })),
  { startDay: 0, endDay: 100_000 },
);

const time = {
  kind: 'time',
  activity: 'dashboard',
  weekdays: [1, 2, 3],
  hour_start: 9,
  hour_end: 10,
  reason: 'most mornings',
  confidence: 0.8,
};
const sequence = {
  kind: 'sequence',
  after: 'login',
  activity: 'report',
  within_minutes: 15,
  reason: 'right after',
  confidence: 0.7,
};

describe('an answer that fits', () => {
  it.each([
    ['an object with a list', JSON.stringify({ patterns: [time, sequence] })],
    ['a list as a string', JSON.stringify({ patterns: JSON.stringify([time, sequence]) })],
    ['a list alone', JSON.stringify([time, sequence])],
    ['a list in a code fence', `Sure:\n\`\`\`json\n${JSON.stringify([time, sequence])}\n\`\`\``],
  ])('%s is read', (_, text) => {
    const parsed = parseAnswer(text, proposalAnswerSchema);
    expect(parsed).toEqual({ fits: true, answer: { patterns: [time, sequence] } });
  });

  it.each([
    ['prose', 'The user opens the dashboard every morning.'],
    ['a list in prose as a string', '{"patterns":"mostly mornings"}'],
    ['a number', '{"patterns":7}'],
    ['another object', '{"habits":[]}'],
  ])('%s is none', (_, text) => {
    expect(parseAnswer(text, proposalAnswerSchema).fits).toBe(false);
  });
});

describe('readProposals', () => {
  it('takes both kinds with what the model says about them', () => {
    expect(readProposals([time, sequence], log)).toEqual({
      proposals: [
        {
          pattern: {
            kind: 'time',
            activity: 'dashboard',
            weekdays: [1, 2, 3],
            hour_start: 9,
            hour_end: 10,
          },
          proposedBy: 'model',
          claimedConfidence: 0.8,
          reason: 'most mornings',
        },
        {
          pattern: { kind: 'sequence', after: 'login', activity: 'report', within_minutes: 15 },
          proposedBy: 'model',
          claimedConfidence: 0.7,
          reason: 'right after',
        },
      ],
      without: [],
    });
  });

  it.each([
    ['confidence 7', { ...time, confidence: 7 }],
    ['confidence in words', { ...time, confidence: 'high' }],
    ['no confidence', { ...time, confidence: undefined }],
    ['no reason', { ...time, reason: undefined }],
    ['a window of four hours', { ...time, hour_end: 13 }],
    ['a window that ends before it begins', { ...time, hour_end: 8 }],
    ['an eighth weekday', { ...time, weekdays: [8] }],
    ['no weekday', { ...time, weekdays: [] }],
    ['another kind', { ...time, kind: 'moon' }],
    ['an activity after itself', { ...sequence, activity: 'login' }],
    ['more than a day', { ...sequence, within_minutes: 1_441 }],
    ['a text', 'dashboard in the morning'],
    ['null', null],
    ['a list', [time]],
  ])('drops an item with %s as malformed, and keeps the others', (_, item) => {
    const { proposals, without } = readProposals([item, sequence], log);
    expect(without).toEqual(['malformed']);
    expect(proposals).toHaveLength(1);
  });

  it.each([
    { ...time, activity: 'sleep' },
    { ...sequence, after: 'sleep' },
    { ...sequence, activity: 'Report' },
  ])('drops what is about an activity that the user never did: %j', (item) => {
    expect(readProposals([item, time], log)).toMatchObject({
      proposals: [{ pattern: { activity: 'dashboard' } }],
      without: ['unknown_activity'],
    });
  });

  it('looks at 32 items of a thousand', () => {
    const { proposals, without } = readProposals(
      Array.from({ length: 1_000 }, () => time),
      log,
    );
    expect(proposals).toHaveLength(32);
    expect(without).toEqual(Array.from({ length: 968 }, () => 'too_many'));
  });

  it('keeps a reason on one line, without anything invisible, cut between characters', () => {
    const reasonOf = (reason: string) => readProposals([{ ...time, reason }], log).proposals[0]?.reason;
    expect(reasonOf('one\n\u2028 two\u0000three\u202E\u{E0041}\uD800 four')).toBe('one two three four');
    expect(reasonOf('🦓'.repeat(400))).toBe('🦓'.repeat(300));
    expect(reasonOf(' \u0007 ')).toBeNull();
  });

  it('answers for each item, whatever it is, and lets no pattern through that is none', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc
        .record({
          kind: fc.constantFrom('time', 'sequence', 'moon'),
          activity: fc.constantFrom('dashboard', 'report', 'sleep', '__proto__'),
          after: fc.constantFrom('login', 'report', 7),
          weekdays: fc.array(fc.integer({ min: -1, max: 9 }), { maxLength: 9 }),
          hour_start: fc.integer({ min: -2, max: 26 }),
          hour_end: fc.double({ min: 0, max: 26 }),
          within_minutes: fc.integer({ min: -5, max: 2_000 }),
          reason: fc.string({ unit: 'binary' }),
          confidence: fc.double({ min: -1, max: 2 }),
        })
        .map((item) => ({ ...item, hour_end: Math.round(item.hour_end) })),
    );
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 40 }), (items) => {
        const { proposals, without } = readProposals(items, log);
        expect(proposals.length + without.length).toBe(items.length);
        for (const { pattern, claimedConfidence, reason } of proposals) {
          expect(patternSchema.parse(pattern)).toEqual(pattern);
          expect(log.byName.has(pattern.activity)).toBe(true);
          expect(claimedConfidence).toBeGreaterThanOrEqual(0);
          expect(claimedConfidence).toBeLessThanOrEqual(1);
          expect(reason ?? '').not.toMatch(/[\p{C}\n]/u);
        }
      }),
    );
  });
});
