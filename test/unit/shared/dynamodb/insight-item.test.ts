import fc from 'fast-check';
import type { Insight } from '../../../../shared/contracts/churn-insight.ts';
import {
  fromInsightItem,
  microsecondsLater,
  toInsightItem,
} from '../../../../shared/dynamodb/insight-item.ts';

const insight: Insight = {
  alert_id: 'low_health_score_stu_77_1767225600000',
  entity_id: 'stu_77',
  prediction_type: 'low_health_score',
  risk_score: 72.5,
  explanation: 'few sessions',
  recommendations: ['call', 'write'],
  timestamp: '2026-01-01T00:00:00.000001Z',
  model_used: 'openai-gpt-4.1',
  job_id: '018f0000-0000-7000-8000-000000000001',
  prompt_version: '1',
  degraded: false,
};

const anyTimestamp = fc
  .record({
    date: fc.date({ min: new Date('1971-01-01'), max: new Date('9998-12-31'), noInvalidDate: true }),
    microseconds: fc.nat(999),
  })
  .map(
    ({ date, microseconds }) => `${date.toISOString().slice(0, 23)}${String(microseconds).padStart(3, '0')}Z`,
  );

describe('microseconds later', () => {
  test('is later as a text too, in the same form, and by as much as was asked', () => {
    fc.assert(
      fc.property(anyTimestamp, fc.nat(5_000_000), fc.nat(5_000_000), (timestamp, first, second) => {
        const once = microsecondsLater(timestamp, first);
        expect(once).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/);
        if (first > 0) expect(once > timestamp).toBe(true);
        else expect(once).toBe(timestamp);
        expect(microsecondsLater(once, second)).toBe(microsecondsLater(timestamp, first + second));
      }),
    );
  });

  test.each([
    ['2026-01-01T00:00:00.000000Z', 1, '2026-01-01T00:00:00.000001Z'],
    ['2026-01-01T00:00:00.000999Z', 1, '2026-01-01T00:00:00.001000Z'],
    ['2026-01-01T00:00:00.999999Z', 1, '2026-01-01T00:00:01.000000Z'],
    ['2025-12-31T23:59:59.999999Z', 1, '2026-01-01T00:00:00.000000Z'],
    ['2024-02-28T23:59:59.999500Z', 500, '2024-02-29T00:00:00.000000Z'],
    ['9000-12-31T23:59:59.999998Z', 1, '9000-12-31T23:59:59.999999Z'],
  ])('of %s by %d is %s', (timestamp, microseconds, later) => {
    expect(microsecondsLater(timestamp, microseconds)).toBe(later);
  });
});

describe('an item', () => {
  test('holds document 002’s keys and gives the insight back', () => {
    const item = toInsightItem(insight, 1_775_001_600);
    expect(item).toEqual({
      ...insight,
      pk: 'insight#stu_77',
      sk: insight.timestamp,
      ttl: 1_775_001_600,
    });
    expect(fromInsightItem(item)).toEqual(insight);
    expect(fromInsightItem({ ...item, noted_by: 'another program' })).toEqual(insight);
  });

  test.each<[string, object]>([
    ['another partition', { pk: 'insight#stu_78' }],
    ['another sort key', { sk: '2026-01-01T00:00:00.000002Z' }],
    ['a score as text', { risk_score: '72.5' }],
    ['a score that is none', { risk_score: 101 }],
    ['a time of milliseconds', { sk: '2026-01-01T00:00:00.000Z', timestamp: '2026-01-01T00:00:00.000Z' }],
    ['no job', { job_id: undefined }],
  ])('with %s is none of ours', (_what, changes) => {
    expect(fromInsightItem({ ...toInsightItem(insight, 1), ...changes })).toBeUndefined();
  });
});
