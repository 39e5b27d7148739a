import type { Alert, AlertOf } from '../../shared/contracts/churn-insight.ts';
import type { InsightAnswer } from './insight-answer.ts';

/** Stored as the model of an insight that the rules below made. Change it together with them. */
export const baselineName = 'baseline-1';

/** A rule's share of the risk: `per` points for each unit of a fact, from 0 to `atMost` points. */
function share(units: number, per: number, atMost: number): number {
  return Math.min(Math.max(units * per, 0), atMost);
}

/**
 * The risk by stated rules, from the facts of the alert and nothing else; each fact counts up to a limit, and the
 * limits add up to 100. The explanation names every fact with its value and the points that it gave.
 */
export function baseline(alert: Alert): InsightAnswer {
  if (alert.alert_type === 'high_ib_call_frequency') return forFrequentCalls(alert);
  if (alert.alert_type === 'low_health_score') return forLowHealth(alert);
  return forImbalance(alert);
}

function forFrequentCalls({ details }: AlertOf<'high_ib_call_frequency'>): InsightAnswer {
  const { ib_calls_14d: calls, health_score: health } = details;
  const callPoints = share(calls, 8, 50);
  const healthPoints = share(100 - health, 0.5, 50);
  return {
    risk_score: rounded(callPoints + healthPoints),
    explanation: explain([
      [`IB calls in 14 days: ${amount(calls)}`, callPoints, 50],
      [`health score: ${amount(health)}`, healthPoints, 50],
    ]),
    recommendations: [
      `Ask the student what the IB calls of the last 14 days (${amount(calls)}) were for.`,
      'Settle the open issues behind these calls before the next session.',
      health < 50
        ? `Have a success manager follow the student closely until the health score of ${amount(health)} has recovered.`
        : `Look at the health score of ${amount(health)} again in a week.`,
    ],
  };
}

function forLowHealth({ details }: AlertOf<'low_health_score'>): InsightAnswer {
  const { health_score: health, sessions_7d: sessions, ib_calls_14d: calls } = details;
  const healthPoints = share(100 - health, 0.6, 60);
  const sessionPoints = share(4 - sessions, 5, 20);
  const callPoints = share(calls, 4, 20);
  return {
    risk_score: rounded(healthPoints + sessionPoints + callPoints),
    explanation: explain([
      [`health score: ${amount(health)}`, healthPoints, 60],
      [`sessions in 7 days: ${amount(sessions)}`, sessionPoints, 20],
      [`IB calls in 14 days: ${amount(calls)}`, callPoints, 20],
    ]),
    recommendations: [
      `Have a success manager contact the student about the health score of ${amount(health)}.`,
      sessions < 2
        ? `Offer times for a next session (in the last 7 days: ${amount(sessions)}).`
        : `Ask how the sessions of the last 7 days (${amount(sessions)}) went, and whether the tutor fits.`,
      ...(calls > 0 ? [`Settle what the IB calls of the last 14 days (${amount(calls)}) were about.`] : []),
    ],
  };
}

function forImbalance({ details }: AlertOf<'supply_demand_imbalance'>): InsightAnswer {
  const { balance_status: status, demand_score: demand, supply_score: supply } = details;
  const points = rounded(share(Math.abs(demand - supply), 1, 100));
  return {
    risk_score: points,
    explanation:
      `No model answered, so a fixed rule does. The balance status is ${JSON.stringify(status)}, ` +
      `the demand score is ${amount(demand)} and the supply score is ${amount(supply)}. ` +
      `The gap between the two scores is the risk (${amount(points)} of 100 points).`,
    recommendations: recommendationsForGap(demand - supply),
  };
}

function recommendationsForGap(gap: number): string[] {
  if (gap > 0) {
    return [
      'Recruit tutors for this subject, and ask those of related subjects to take it on.',
      'Offer students the times at which tutors are free until supply has caught up.',
    ];
  }
  if (gap < 0) {
    return [
      'Offer this subject to students of related ones.',
      'Offer its tutors sessions in subjects that are in demand.',
    ];
  }
  return [
    'Check where the alert comes from: its two scores do not differ.',
    'Look at the two scores again in a week.',
  ];
}

function explain(shares: readonly (readonly [fact: string, points: number, atMost: number])[]): string {
  const parts = shares.map(
    ([fact, points, atMost]) => `${fact} (${amount(rounded(points))} of ${atMost} points)`,
  );
  return `No model answered, so a fixed rule does. The risk is made of: ${parts.join('; ')}.`;
}

/** To a tenth of a point. */
function rounded(points: number): number {
  return Math.round(points * 10) / 10;
}

/** A number as people write it, with three decimals at most. */
function amount(value: number): string {
  return String(Number(value.toFixed(3)));
}
