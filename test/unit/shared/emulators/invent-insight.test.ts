import * as fc from 'fast-check';
import { inventInsight } from '../../../../shared/emulators/invent-insight.ts';
import { insightAnswerSchema } from '../../../../workers/churn-insight/insight-answer.ts';
import { insightPrompt } from '../../../../workers/churn-insight/insight-prompt.ts';
import { anyAlert, sampleAlerts } from '../../../support/sample-alerts.ts';

describe('inventInsight', () => {
  it('always invents an insight, and the same one for the same prompt', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          anyAlert().map((alert) => insightPrompt(alert).user),
        ),
        (prompt) => {
          const invented = inventInsight(prompt);
          expect(insightAnswerSchema.parse(invented)).toEqual(invented);
          expect(inventInsight(prompt)).toEqual(invented);
        },
      ),
    );
  });

  it('names the facts, and says that it is invented', () => {
    const { risk_score, explanation } = inventInsight(insightPrompt(sampleAlerts.calls).user);
    expect(risk_score).toBe(70);
    expect(explanation).toMatch(/^Invented .* IB Calls \(14 days\) 5, Health Score 65\.$/);
    expect(inventInsight(insightPrompt(sampleAlerts.balance).user).risk_score).toBe(71);
  });
});
