import * as fc from 'fast-check';
import { alertSchema, type Alert } from '../../../../shared/contracts/churn-insight.ts';
import { baseline } from '../../../../workers/churn-insight/baseline.ts';
import { insightAnswerSchema } from '../../../../workers/churn-insight/insight-answer.ts';
import { anyAlert, sampleAlerts } from '../../../support/sample-alerts.ts';

const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const score = fc.double({ min: 0, max: 100, noNaN: true });

/** The risk of the alert when some of its facts are these. */
function riskOf(alert: Alert, facts: Record<string, number>): number {
  return baseline(alertSchema.parse({ ...alert, details: { ...alert.details, ...facts } })).risk_score;
}

describe('baseline', () => {
  it('always gives what a model would have to give', () => {
    fc.assert(
      fc.property(anyAlert(), (alert) => {
        const answer = baseline(alert);
        expect(insightAnswerSchema.parse(answer)).toEqual(answer);
      }),
    );
  });

  it('names every fact with its value, and adds up', () => {
    expect(baseline(sampleAlerts.calls)).toMatchObject({
      risk_score: 57.5,
      explanation:
        'No model answered, so a fixed rule does. The risk is made of: ' +
        'IB calls in 14 days: 5 (40 of 50 points); health score: 65 (17.5 of 50 points).',
    });
    expect(baseline(sampleAlerts.health)).toMatchObject({
      risk_score: 60.2,
      explanation: expect.stringContaining(
        'health score: 38 (37.2 of 60 points); sessions in 7 days: 1 (15 of 20 points); ' +
          'IB calls in 14 days: 2 (8 of 20 points).',
      ),
    });
    const { risk_score, explanation } = baseline(sampleAlerts.balance);
    expect(risk_score).toBe(41);
    for (const fact of ['"undersupplied"', 'demand score is 82', 'supply score is 41', '41 of 100 points']) {
      expect(explanation).toContain(fact);
    }
  });

  it('recommends the opposite for the opposite gap', () => {
    const { balance } = sampleAlerts;
    const texts = [82, 41, 10].map((demand) =>
      baseline({ ...balance, details: { ...balance.details, demand_score: demand } }).recommendations.join(
        ' ',
      ),
    );
    expect(new Set(texts).size).toBe(3);
  });

  it.each([
    ['more calls', sampleAlerts.calls, 'ib_calls_14d', 1],
    ['a lower health score', sampleAlerts.calls, 'health_score', -1],
    ['a lower health score, with sessions', sampleAlerts.health, 'health_score', -1],
    ['fewer sessions', sampleAlerts.health, 'sessions_7d', -1],
    ['more calls, with sessions', sampleAlerts.health, 'ib_calls_14d', 1],
  ] as const)('never lowers the risk for %s', (_, alert, fact, direction) => {
    fc.assert(
      fc.property(fc.oneof(score, number), fc.oneof(score, number), (one, other) => {
        const [less, more] = one * direction < other * direction ? [one, other] : [other, one];
        expect(riskOf(alert, { [fact]: more })).toBeGreaterThanOrEqual(riskOf(alert, { [fact]: less }));
      }),
    );
  });

  it('rates an imbalance higher the larger its gap is, on either side', () => {
    fc.assert(
      fc.property(fc.tuple(score, score), fc.tuple(score, score), (one, other) => {
        const gap = ([demand, supply]: [number, number]) => Math.abs(demand - supply);
        const [smaller, larger] = gap(one) < gap(other) ? [one, other] : [other, one];
        const risk = ([demand_score, supply_score]: [number, number]) =>
          riskOf(sampleAlerts.balance, { demand_score, supply_score });
        expect(risk(larger)).toBeGreaterThanOrEqual(risk(smaller));
      }),
    );
  });
});
