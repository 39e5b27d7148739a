import fc from 'fast-check';
import { mentions } from '../../../../producers/cli/forget/mention.ts';
import { personWithUserId } from '../../../../producers/cli/forget/person-with-user-id.ts';
import { churnInsight, insightSchema } from '../../../../shared/contracts/churn-insight.ts';
import type { GeneratedPage } from '../../../../shared/contracts/content-generation.ts';
import { patternDetection } from '../../../../shared/contracts/pattern-detection.ts';
import { anyAlert, sampleAlerts } from '../../../support/sample-alerts.ts';

const userId = 'stu_4532';
const person = personWithUserId(userId);
const alert = { ...sampleAlerts.calls, message: 'Zelda of class 3 called' };
const emptiedAlert = { ...alert, entity_id: '[forgotten]', message: '[forgotten]' };
const insight = {
  alert_id: `high_ib_call_frequency_${userId}_1735732800000`,
  entity_id: userId,
  prediction_type: 'high_ib_call_frequency',
  risk_score: 71.5,
  explanation: 'Zelda called five times',
  recommendations: ['Call Zelda', 'Ask her'],
  timestamp: '2025-01-01T12:00:00.123456Z',
  model_used: 'bedrock-haiku',
  job_id: '0199b7a0-0000-7000-8000-000000000001',
  prompt_version: 'insight-1',
  degraded: false,
};

function forget(payload: unknown, result: unknown = null, who = person, isTheirs = false) {
  const json = {
    payload: JSON.stringify(payload),
    result: result === null ? null : JSON.stringify(result),
  };
  const texts = who.forgetInJob(json, isTheirs);
  const parsed: unknown = texts.result === null ? null : JSON.parse(texts.result);
  return { payload: JSON.parse(texts.payload) as unknown, result: parsed };
}

test('an alert and its insight keep their form and their numbers and lose what they say', () => {
  const { payload, result } = forget(alert, insight);
  expect(payload).toEqual(emptiedAlert);
  expect(result).toEqual({
    ...insight,
    alert_id: '[forgotten]',
    entity_id: '[forgotten]',
    explanation: '[forgotten]',
    recommendations: ['[forgotten]', '[forgotten]'],
  });
  expect(churnInsight.payload.safeParse(payload).success).toBe(true);
  expect(insightSchema.safeParse(result).success).toBe(true);
});

test('the event around an alert is emptied too', () => {
  const event = {
    id: 'event-of-zelda',
    'detail-type': 'high_ib_call_frequency',
    source: 'iops-dashboard.processor',
    time: '2025-01-01T12:00:00Z',
    detail: alert,
  };
  const { payload } = forget(event);
  expect(payload).toEqual({ ...event, id: '[forgotten]', detail: emptiedAlert });
  expect(churnInsight.payload.safeParse(payload).success).toBe(true);
});

test('an alert of an unknown type loses every text of its details', () => {
  const unknown = {
    ...alert,
    alert_type: 'zebra',
    details: { source: 'Zelda', deep: [{ time: 'noon' }, 7] },
  };
  expect(forget(unknown).payload).toEqual({
    ...emptiedAlert,
    alert_type: 'zebra',
    details: { source: '[forgotten]', deep: [{ time: '[forgotten]' }, 7] },
  });
});

test('only jobs that are about them alone are', () => {
  expect(person.isSubjectOf(alert)).toBe(true);
  expect(person.isSubjectOf({ id: 'e', detail: alert })).toBe(true);
  for (const entity_id of ['stu_45321', 'stu_4532_b', 'STU_4532', `${userId} `]) {
    expect(person.isSubjectOf({ ...alert, entity_id })).toBe(false);
  }
  expect(person.isSubjectOf({ contacts: [{ id: userId }] })).toBe(false);
  expect(person.isSubjectOf(null)).toBe(false);
});

test('a look at what they tend to do keeps its numbers', () => {
  const look = { user_id: userId };
  const found = { patterns_detected: 3, predictions_queued: 1, model_used: 'baseline-1', degraded: true };
  expect(person.isSubjectOf(look)).toBe(true);
  for (const other of [{}, { user_id: `${userId}1` }, { ...look, entity_id: 'stu_77' }]) {
    expect(person.isSubjectOf(other)).toBe(false);
  }
  const { payload, result } = forget(look, found);
  expect(payload).toEqual({ user_id: '[forgotten]' });
  expect(result).toEqual(found);
  expect(patternDetection.payload.safeParse(payload).success).toBe(true);
});

test('the job of a page of theirs does not say any more which page it was', () => {
  const made: GeneratedPage = {
    generation_id: 7,
    page_key: 'letters from Zelda',
    status: 'completed',
    model_used: 'baseline-1',
    degraded: true,
    expires_at: '2026-03-02T10:00:00.000Z',
  };
  const payload = { generation_id: 7 };
  expect(forget(payload, made, person, true)).toEqual({
    payload,
    result: { ...made, page_key: '[forgotten]' },
  });
  expect(forget(payload, made)).toEqual({ payload, result: made });
});

test('of other jobs, only the mentions go, and longer ids are none', () => {
  const other = {
    ...sampleAlerts.health,
    message: `sits by ${userId},\n${userId} and (${userId})`,
    severity: userId,
    [`of ${userId}`]: ['stu_45321', 'stu_4532_b', 'x-stu_4532', 'STU_4532'],
  };
  expect(forget(other).payload).toEqual({
    ...sampleAlerts.health,
    message: 'sits by [forgotten],\n[forgotten] and ([forgotten])',
    severity: '[forgotten]',
    'of [forgotten]': ['stu_45321', 'stu_4532_b', 'x-stu_4532', 'STU_4532'],
  });
});

test('a short id does not hide in times, models and versions', () => {
  const other = { ...insight, entity_id: 'somebody', model_used: 'openai-gpt-4.1', explanation: '1, not 11' };
  for (const id of ['1', '00', '12'])
    expect(mentions(insight.timestamp, personWithUserId(id).mention)).toBe(false);
  expect(forget({}, other, personWithUserId('1')).result).toEqual({
    ...other,
    explanation: '[forgotten], not 11',
  });
});

test.each([null, 'text', 5, [], {}, userId])('a payload of any form: %j', (payload) => {
  expect(forget(payload).payload).toEqual(payload === userId ? '[forgotten]' : payload);
});

test('whatever the id and the alert: nothing is left, it still parses, and doing it again changes nothing', () => {
  fc.assert(
    fc.property(anyAlert(), fc.option(anyAlert()), fc.boolean(), (theirs, result, inEvent) => {
      fc.pre(!'[forgotten]'.includes(theirs.entity_id));
      const payload = inEvent ? { id: theirs.entity_id, detail: theirs } : theirs;
      const who = personWithUserId(theirs.entity_id);
      const once = forget(payload, result, who);
      expect(mentions(once, who.mention)).toBe(false);
      expect(churnInsight.payload.safeParse(once.payload).success).toBe(true);
      expect(forget(once.payload, once.result, who)).toEqual(once);
    }),
  );
});
