import * as fc from 'fast-check';
import type { Alert } from '../../shared/contracts/churn-insight.ts';

const common = { severity: 'warning', message: 'an alert', timestamp: '2025-01-01T12:00:00Z' };

/** One alert of each of document 002's types. */
export const sampleAlerts = {
  calls: {
    ...common,
    alert_type: 'high_ib_call_frequency',
    entity_id: 'stu_4532',
    entity_type: 'student',
    details: { ib_calls_14d: 5, health_score: 65 },
  },
  health: {
    ...common,
    alert_type: 'low_health_score',
    entity_id: 'stu_77',
    entity_type: 'student',
    details: { health_score: 38, sessions_7d: 1, ib_calls_14d: 2 },
  },
  balance: {
    ...common,
    alert_type: 'supply_demand_imbalance',
    entity_id: 'chemistry',
    entity_type: 'subject',
    details: { balance_status: 'undersupplied', demand_score: 82, supply_score: 41 },
  },
} as const satisfies Record<string, Alert>;

/** Any alert that the contract takes, with any text and any numbers in it. */
export function anyAlert(): fc.Arbitrary<Alert> {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const text = fc.string({ unit: 'binary', maxLength: 64 });
  const base = {
    severity: text,
    entity_id: fc.string({ unit: 'binary', minLength: 1, maxLength: 64 }),
    entity_type: text,
    message: text,
    timestamp: text,
  };
  return fc.oneof(
    fc.record({
      ...base,
      alert_type: fc.constant('high_ib_call_frequency' as const),
      details: fc.record({ ib_calls_14d: number, health_score: number }),
    }),
    fc.record({
      ...base,
      alert_type: fc.constant('low_health_score' as const),
      details: fc.record({ health_score: number, sessions_7d: number, ib_calls_14d: number }),
    }),
    fc.record({
      ...base,
      alert_type: fc.constant('supply_demand_imbalance' as const),
      details: fc.record({ balance_status: text, demand_score: number, supply_score: number }),
    }),
  );
}
