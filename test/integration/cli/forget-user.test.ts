import { nothingForgotten } from '../../../producers/cli/forget/nothing-forgotten.ts';
import { personWithUserId } from '../../../producers/cli/forget/person-with-user-id.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import { alertOf, churnInsight, type Insight } from '../../../shared/contracts/churn-insight.ts';
import { openInsightTable, type InsightTable } from '../../../shared/dynamodb/insight-table.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import type { JobContext } from '../../../shared/queue/job-context.ts';
import { insertLlmCalls } from '../../support/insert-llm-calls.ts';
import { openInsightStores, type InsightStores } from '../../support/open-insight-stores.ts';
import { sampleAlerts } from '../../support/sample-alerts.ts';
import { useForgetRoom } from '../../support/use-forget-room.ts';

const userId = 'stu_4532';
/** Others whose ids hold the person's. */
const longerIds = ['stu_45321', 'stu_4532_b'];

const room = useForgetRoom([churnInsight, callTimePrediction]);
let stores: InsightStores;
let table: InsightTable;
beforeAll(async () => {
  stores = await openInsightStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => {
  table = openInsightTable({ ...stores.dynamodbSettings, mayAskInstanceMetadata: false }, room.fleet.log);
});
afterEach(async () => {
  for (const entityId of [userId, ...longerIds]) await table.forget(entityId);
  table[Symbol.dispose]();
});

const forget = (waitMs = 0) => room.fleet.forget(personWithUserId(userId), waitMs, table);

/** A worker that leaves behind what the real one does, under control of the test. */
function consume(work: (context: JobContext) => Promise<void> = () => Promise.resolve()) {
  room.fleet.consume(churnInsight, {
    async start(payload, context) {
      const entity_id = String(alertOf(payload).entity_id);
      await work(context);
      await insertLlmCalls(room.fleet.database.db, [
        { job_id: context.jobId, answer: `Zelda is ${entity_id}` },
      ]);
      const insight: Insight = {
        alert_id: `high_ib_call_frequency_${entity_id}_1735732800000`,
        entity_id,
        prediction_type: 'high_ib_call_frequency',
        risk_score: 71.5,
        explanation: 'Zelda called five times',
        recommendations: [`Call ${entity_id}`, 'Ask Zelda'],
        timestamp: '2025-01-01T12:00:00.123456Z',
        model_used: 'bedrock-haiku',
        job_id: context.jobId,
        prompt_version: 'insight-1',
        degraded: false,
      };
      return table.keep(insight, Math.floor(Date.now() / 1_000) + 3_600);
    },
  });
}

const alertAbout = (entity_id: string, message = 'Zelda called') => ({
  ...sampleAlerts.calls,
  entity_id,
  message,
});

const submit = (payload: unknown, options: { delayMs?: number } = {}) =>
  room.fleet.enqueue.enqueue(churnInsight, payload, options).then(({ id }) => id);

async function everything(): Promise<string> {
  return JSON.stringify([JSON.parse(await room.fleet.everything()), await stores.items()]);
}

/** What is left of the person in MySQL, Redis and DynamoDB: nothing is what there should be. */
async function traces(): Promise<string[]> {
  let held = await everything();
  for (const longerId of longerIds) held = held.replaceAll(longerId, '');
  return [userId, 'Zelda'].filter((text) => held.includes(text));
}

test('settled jobs, however they ended, and what they left behind', async () => {
  let fails = false;
  consume(() =>
    fails ? Promise.reject(new JobError('permanent', 'no', { code: 'NO' })) : Promise.resolve(),
  );
  const event = { id: `of ${userId}`, source: 'iops', detail: alertAbout(userId) };
  const ids = [await submit(alertAbout(userId)), await submit(event)];
  for (const id of ids) expect(await room.fleet.settled(id)).toMatchObject({ state: 'completed' });
  fails = true;
  const failed = await submit(alertAbout(userId, 'Zelda again'));
  expect(await room.fleet.settled(failed)).toMatchObject({ state: 'failed' });
  const stray = await room.fleet.ledger.recordStray({
    queue: churnInsight.name,
    payload: JSON.stringify({ payload: event }),
    failure: { kind: 'invalid-input', code: 'NOT_A_JOB', message: 'no' },
  });
  const dueAt = new Date(Date.now() + 60_000);
  for (const key of [`alert:${userId}`, ...longerIds]) {
    await room.fleet.ledger.acceptIdempotently(
      { queue: churnInsight.name, payload: '{}', priority: 0, dueAt },
      { scope: 'anonymous', key, answerWithinMs: 0 },
    );
  }
  await room.fleet.nobodyIsAtWork();
  expect(await traces()).toHaveLength(2);

  expect(await forget()).toEqual({
    ...nothingForgotten(),
    jobs_rewritten: 4,
    redis_jobs_removed: 3,
    insights_deleted: 2,
    answers_deleted: 2,
    idempotency_keys_deleted: 1,
  });
  expect(await traces()).toEqual([]);
  expect(await room.fleet.ledger.read(ids[1] ?? '')).toMatchObject({
    state: 'completed',
    payload: {
      id: '[forgotten]',
      source: 'iops',
      detail: { entity_id: '[forgotten]', message: '[forgotten]', details: sampleAlerts.calls.details },
    },
    result: { entity_id: '[forgotten]', risk_score: 71.5, recommendations: ['[forgotten]', '[forgotten]'] },
  });
  // Nobody retries it with the others that failed.
  expect(await room.fleet.ledger.read(failed)).toMatchObject({ state: 'cancelled', error: { code: 'NO' } });
  expect(await room.fleet.ledger.read(stray)).toMatchObject({ payload: { payload: { id: '[forgotten]' } } });
  const spend = await room.fleet.database.db.selectFrom('llm_calls').select(['cost_usd', 'state']).execute();
  expect(spend).toEqual(ids.map(() => ({ cost_usd: '0.000150000', state: 'answered' })));
  const keys = await room.fleet.database.db
    .selectFrom('idempotency_keys')
    .select('idempotency_key')
    .execute();
  expect(keys.map((row) => row.idempotency_key).sort()).toEqual([...longerIds].sort());
  expect(await forget()).toEqual(nothingForgotten());
});

test('others whose ids are longer stay as they are', async () => {
  consume();
  const ids = await Promise.all(longerIds.map((id) => submit(alertAbout(id, 'Ada called'))));
  for (const id of ids) await room.fleet.settled(id);
  await room.fleet.nobodyIsAtWork();
  const before = await everything();
  expect(await forget()).toEqual(nothingForgotten());
  expect(JSON.parse(await everything())).toEqual(JSON.parse(before));
});

test('open jobs about the person are cancelled, others go on without them', async () => {
  const ids = [
    await submit(alertAbout(userId)),
    await submit(alertAbout(userId, 'Zelda, later'), { delayMs: 60_000 }),
  ];
  const other = await submit(alertAbout('stu_77', `sits by ${userId}`));
  const contact = { id: userId, phoneNumber: '+972501234567' };
  const calls = await room.fleet.enqueue.enqueue(
    callTimePrediction,
    { contacts: [contact] },
    { delayMs: 60_000 },
  );
  await room.fleet.database.db
    .insertInto('call_time_predictions')
    .values(
      [userId, `${userId} `, ...longerIds].map((contact_id, position) => ({
        job_id: calls.id,
        position,
        contact_id,
        phone_number: contact.phoneNumber,
        timezone: 'UTC',
        preferred_days: '[1]',
        hour_start: 9,
        hour_end: 10,
        confidence: 1,
        source: 'default' as const,
        window_start: new Date(),
        window_end: new Date(),
        predicted_at: new Date(),
      })),
    )
    .execute();
  expect(await forget()).toEqual({
    ...nothingForgotten(),
    jobs_rewritten: 4,
    jobs_dispatched_again: 2,
    redis_jobs_removed: 2,
    predictions_rewritten: 1,
  });
  for (const id of ids) {
    expect(await room.fleet.ledger.read(id)).toMatchObject({ state: 'cancelled', attempts: 0 });
  }
  expect(await room.fleet.ledger.read(calls.id)).toMatchObject({
    state: 'accepted',
    payload: { contacts: [{ id: '[forgotten]', phoneNumber: contact.phoneNumber }] },
  });
  const predictions = await room.fleet.database.db
    .selectFrom('call_time_predictions')
    .select('contact_id')
    .orderBy('position')
    .execute();
  expect(predictions.map((row) => row.contact_id)).toEqual(['[forgotten]', `${userId} `, ...longerIds]);
  const seen: string[] = [];
  consume(({ jobId }) => Promise.resolve(void seen.push(jobId)));
  expect(await room.fleet.settled(other)).toMatchObject({
    state: 'completed',
    payload: { entity_id: 'stu_77', message: 'sits by [forgotten]' },
  });
  await room.fleet.nobodyIsAtWork();
  expect(seen).toEqual([other]);
  await table.forget('stu_77');
});

test('a job that a worker has in hand is told to stop, and waited for, or named', async () => {
  const release = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  consume(({ signal }) => {
    signal.addEventListener('abort', () => stopped.resolve());
    started.resolve();
    return release.promise;
  });
  const id = await submit(alertAbout(userId));
  await started.promise;
  expect(await forget(0)).toEqual({ ...nothingForgotten(), running: [id] });
  await stopped.promise;
  expect(await traces()).toHaveLength(2);
  const waiting = forget(20_000);
  // It does not heed its signal, and stores what it has.
  release.resolve();
  const { redis_jobs_removed: removed, ...others } = await waiting;
  // Once or twice: the job may have ended between two looks at it.
  expect([1, 2]).toContain(removed);
  const { redis_jobs_removed: _none, ...nothing } = nothingForgotten();
  expect(others).toEqual({ ...nothing, jobs_rewritten: 1, insights_deleted: 1, answers_deleted: 1 });
  expect(await room.fleet.ledger.read(id)).toMatchObject({ state: 'cancelled', result: null });
  expect(await traces()).toEqual([]);
  expect(await forget()).toEqual(nothingForgotten());
});
