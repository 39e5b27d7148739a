import fc from 'fast-check';
import type { HttpServer } from '../../shared/http/http-server.ts';
import { buildServer } from '../../producers/api/build-server.ts';
import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import { churnInsight } from '../../shared/contracts/churn-insight.ts';
import { leadScoring } from '../../shared/contracts/lead-scoring.ts';
import { apiOptions } from '../support/api-options.ts';
import { openTestFleet, type TestFleet } from '../support/open-test-fleet.ts';

let fleet: TestFleet;
let server: HttpServer;
beforeAll(async () => {
  fleet = await openTestFleet([callTimePrediction, churnInsight, leadScoring]);
  server = await buildServer(
    apiOptions(fleet, {
      queues: [callTimePrediction.name, churnInsight.name, leadScoring.name],
      queueLimit: { assertRoom: () => Promise.resolve() },
    }),
  );
});
afterAll(async () => {
  await server.close();
  await fleet[Symbol.asyncDispose]();
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 140 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\u0080',
    "'; --",
    '2026-02-30T00:00:00Z',
    '9999-12-31T23:59:59Z',
  ),
);

/** Mostly one of these, else any text or any JSON: between nonsense and what is right. */
function mostly(...right: [unknown, ...unknown[]]): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...right) },
    { weight: 2, arbitrary: text },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

/** An object that has most of these fields. */
function like(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  return fc.record(fields, { requiredKeys: [] });
}

const instant = mostly('2026-01-31T12:00:00Z', '2026-01-31T12:00:00.123+05:30', '1970-01-01T00:00:00Z');
const activity = like({
  event_id: mostly('event-1', 'event-2'),
  user_id: mostly('user-1', 'מ', '\u{1f600}'),
  activity_type: mostly('open_dashboard', 'e\u0301'),
  occurred_at: instant,
  timezone: mostly('Asia/Jerusalem', 'UTC', 'ACt'),
  metadata: mostly({}, { page: 'a' }),
});
const outcome = like({
  event_id: mostly('event-1', 'event-2'),
  kind: mostly('call_answered', 'page_visited', 'lead_converted', 'churned'),
  contact_id: mostly('contact-1'),
  user_id: mostly('user-1'),
  page_key: mostly('dashboard'),
  lead_id: mostly('lead-1'),
  entity_id: mostly('entity-1'),
  occurred_at: instant,
  happened: mostly(true, false),
  job_id: mostly('018f3f2e-0000-7000-8000-000000000000'),
});
const alert = like({
  alert_type: mostly('high_ib_call_frequency', 'low_health_score', 'supply_demand_imbalance'),
  severity: mostly('warning'),
  entity_id: mostly('entity-1'),
  entity_type: mostly('student'),
  message: mostly('an alert'),
  timestamp: instant,
  details: mostly(
    { ib_calls_14d: 5, health_score: 65 },
    { health_score: 38, sessions_7d: 1, ib_calls_14d: 2 },
    { balance_status: 'undersupplied', demand_score: 82, supply_score: 41 },
  ),
});
const envelope = like({
  version: mostly('0'),
  id: mostly('6a7e8feb-b491-4cf7-a9f1-bf3703467718'),
  'detail-type': mostly('Alert'),
  source: mostly('alerts'),
  time: instant,
  detail: alert,
});
const leadIds = fc.array(mostly('lead-1', 'lead-2', 'מ'), { maxLength: 6 });

const bodies: Record<string, fc.Arbitrary<unknown>> = {
  '/v1/activity': fc.oneof(activity, fc.array(activity, { maxLength: 5 })),
  '/v1/outcomes': fc.oneof(outcome, fc.array(outcome, { maxLength: 5 })),
  '/v1/alerts': fc.oneof(alert, envelope),
  '/v1/lead-scores': fc.oneof(leadIds, fc.record({ lead_ids: leadIds })),
};

test.each(Object.entries(bodies))('whatever is sent to %s gets an honest answer', async (url, body) => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ weight: 9, arbitrary: body }, { weight: 1, arbitrary: fc.jsonValue() }),
      async (sent) => {
        const answer = await server.inject({
          method: 'POST',
          url,
          headers: { 'content-type': 'application/json' },
          payload: JSON.stringify(sent),
        });
        expect([200, 202, 400, 413, 422]).toContain(answer.statusCode);
        if (answer.statusCode < 400) return;
        expect(String(answer.headers['content-type'])).toContain('application/problem+json');
        expect(answer.body).not.toMatch(/node_modules|\.ts:\d+|\bat (async )?[\w.<>]+ \(/);
      },
    ),
    { numRuns: 300 },
  );
});
