import { insightAnswerSchema } from '../../../../workers/churn-insight/insight-answer.ts';

const good = { risk_score: 75, explanation: 'Why.', recommendations: ['Call.', 'Write.'] };

describe('insightAnswerSchema', () => {
  it.each([
    ['a good answer', good],
    ['no risk at all', { ...good, risk_score: 0 }],
    ['the highest risk', { ...good, risk_score: 100 }],
    ['three recommendations', { ...good, recommendations: ['a', 'b', 'c'] }],
  ])('takes %s', (_, answer) => {
    expect(insightAnswerSchema.parse(answer)).toEqual(answer);
  });

  it('takes a number in quotes, as document 002 does', () => {
    expect(insightAnswerSchema.parse({ ...good, risk_score: ' 75.5 ' })).toEqual({
      ...good,
      risk_score: 75.5,
    });
  });

  it('drops fields that nobody asked for', () => {
    expect(insightAnswerSchema.parse({ ...good, confidence: 1 })).toEqual(good);
  });

  it.each([
    ['a risk above 100', { ...good, risk_score: 100.1 }],
    ['a risk below 0', { ...good, risk_score: -1 }],
    ['a risk in words', { ...good, risk_score: 'high' }],
    ['an empty risk', { ...good, risk_score: '' }],
    ['a quoted risk above 100', { ...good, risk_score: '101' }],
    ['an empty explanation', { ...good, explanation: ' \n' }],
    ['an explanation without end', { ...good, explanation: 'x'.repeat(4_001) }],
    ['one recommendation', { ...good, recommendations: ['a'] }],
    ['four recommendations', { ...good, recommendations: ['a', 'b', 'c', 'd'] }],
    ['an empty recommendation', { ...good, recommendations: ['a', ' '] }],
    ['recommendations as text', { ...good, recommendations: 'a, b' }],
    ['a part of it', { risk_score: 75 }],
    ['a list', [good]],
  ])('refuses %s', (_, answer) => {
    expect(insightAnswerSchema.safeParse(answer).success).toBe(false);
  });
});
