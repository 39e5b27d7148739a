import * as fc from 'fast-check';
import {
  callTimePredictionSchema,
  predictionSources,
} from '../../../../shared/contracts/call-time-prediction.ts';
import {
  answerOf,
  createRowMaker,
  toPrediction,
} from '../../../../workers/call-time-prediction/prediction-row.ts';

const contact = {
  position: 3,
  id: 'contact_123',
  phoneNumber: '+972501234567',
  timezone: 'Asia/Jerusalem',
  metadata: {},
};
const answer = {
  preferredDayOfWeek: [1, 2, 3, 4, 5],
  preferredHourRange: { start: 10, end: 18 },
  confidence: 0.85,
};

describe('createRowMaker', () => {
  it('makes a row that turns into the documented prediction', () => {
    const makeRow = createRowMaker('job', () => Date.parse('2026-11-23T12:00:00Z'));
    expect(toPrediction(contact.id, makeRow(contact, answer, 'sagemaker'))).toEqual({
      contactId: 'contact_123',
      optimalCallTime: answer,
      cached: false,
      source: 'sagemaker',
      next_call_window: { start: '2026-11-23T08:00:00Z', end: '2026-11-23T16:00:00Z' },
    });
  });

  it('finds another window once the last one has ended', () => {
    let nowMs = Date.parse('2026-11-23T12:00:00Z');
    const makeRow = createRowMaker('job', () => nowMs);
    const starts = () => makeRow(contact, answer, 'cache').window_start.toISOString();
    expect(starts()).toBe('2026-11-23T08:00:00.000Z');
    nowMs = Date.parse('2026-11-23T15:59:59.999Z');
    expect(starts()).toBe('2026-11-23T08:00:00.000Z');
    nowMs = Date.parse('2026-11-23T16:00:00Z');
    expect(starts()).toBe('2026-11-24T08:00:00.000Z');
  });

  it('keeps every answer as it was', () => {
    const anyAnswer = fc
      .record({
        preferredDayOfWeek: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 8 }),
        hours: fc.uniqueArray(fc.integer({ min: 0, max: 24 }), { minLength: 2, maxLength: 2 }),
        confidence: fc.double({ min: 0, max: 1, noNaN: true }),
      })
      .map(({ preferredDayOfWeek, hours, confidence }) => ({
        preferredDayOfWeek,
        preferredHourRange: { start: Math.min(...hours), end: Math.max(...hours) },
        confidence,
      }));
    const makeRow = createRowMaker('job', () => 1_800_000_000_000);
    fc.assert(
      fc.property(anyAnswer, fc.constantFrom(...predictionSources), (given, source) => {
        const row = makeRow(contact, given, source);
        expect(answerOf(row)).toEqual(given);
        const prediction = toPrediction('id', row);
        expect(prediction).toMatchObject({ optimalCallTime: given, source, cached: source === 'cache' });
        expect(callTimePredictionSchema.safeParse(prediction).success).toBe(true);
        expect(row.window_end.getTime()).toBeGreaterThan(row.predicted_at.getTime());
      }),
    );
  });
});
