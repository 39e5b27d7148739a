import { randomUUID } from 'node:crypto';
import { nothingForgotten } from '../../../producers/cli/forget/nothing-forgotten.ts';
import { personWithPhone } from '../../../producers/cli/forget/person-with-phone.ts';
import { callTimePrediction, type Contact } from '../../../shared/contracts/call-time-prediction.ts';
import type { PayloadOf } from '../../../shared/contracts/define-queue.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import { predictionCacheKey } from '../../../shared/prediction-cache/prediction-cache-key.ts';
import { insertLlmCalls } from '../../support/insert-llm-calls.ts';
import { runPresage } from '../../support/run-presage.ts';
import { useForgetRoom } from '../../support/use-forget-room.ts';

const queue = callTimePrediction.name;
const phoneNumber = '+972501234567';
const person: Contact = { id: 'their-id', phoneNumber, metadata: { name: 'Zelda' } };
const other: Contact = { id: 'other-id', phoneNumber: `${phoneNumber}8`, metadata: { name: 'Ada' } };

const room = useForgetRoom([callTimePrediction]);

const forget = (waitMs = 0) => room.fleet.forget(personWithPhone(phoneNumber), waitMs);

/** A worker that leaves behind what the real one does, under control of the test. */
function consume(
  work: (payload: PayloadOf<typeof callTimePrediction>) => Promise<void> = () => Promise.resolve(),
) {
  const optimalCallTime = {
    preferredDayOfWeek: [1],
    preferredHourRange: { start: 9, end: 10 },
    confidence: 1,
  };
  const next_call_window = { start: '2030-01-01T09:00:00Z', end: '2030-01-01T10:00:00Z' };
  room.fleet.consume(callTimePrediction, {
    async start(payload, { jobId }) {
      await work(payload);
      for (const [position, { id, phoneNumber: number }] of payload.contacts.entries()) {
        if (!number.startsWith('+')) continue;
        await room.fleet.redis.client.set(predictionCacheKey(number), '{}');
        await room.fleet.database.db
          .insertInto('call_time_predictions')
          .values({
            job_id: jobId,
            position,
            contact_id: id,
            phone_number: number,
            timezone: 'UTC',
            preferred_days: '[1]',
            hour_start: 9,
            hour_end: 10,
            confidence: 1,
            source: 'default',
            window_start: new Date(),
            window_end: new Date(),
            predicted_at: new Date(),
          })
          .execute();
      }
      return {
        predictions: payload.contacts.map(({ id }) => ({
          contactId: id,
          optimalCallTime,
          cached: false,
          source: 'default' as const,
          next_call_window,
        })),
        errors: [],
      };
    },
  });
}

const submit = (contacts: readonly Contact[], options: { delayMs?: number } = {}) =>
  room.fleet.enqueue.enqueue(callTimePrediction, { contacts }, options).then(({ id }) => id);

/** What is left of the person in MySQL and Redis: nothing is what there should be. */
async function traces(): Promise<string[]> {
  const held = (await room.fleet.everything()).replaceAll(other.phoneNumber, '');
  return [phoneNumber, 'their-id', 'Zelda'].filter((text) => held.includes(text));
}

test('settled jobs, however they ended, and what they left behind', async () => {
  consume(({ contacts }) =>
    contacts.length === 1
      ? Promise.reject(new JobError('permanent', 'no', { code: 'NO' }))
      : Promise.resolve(),
  );
  const ids = [await submit([other, person, other]), await submit([person]), await submit([person, person])];
  for (const id of ids) await room.fleet.settled(id);
  const cancelled = await submit([person, other], { delayMs: 60_000 });
  await room.fleet.ledger.cancel(cancelled);
  const stray = await room.fleet.ledger.recordStray({
    queue,
    payload: JSON.stringify({ from: phoneNumber }),
    failure: { kind: 'invalid-input', code: 'NOT_A_JOB', message: 'no' },
  });
  await room.fleet.ledger.acceptIdempotently(
    { queue, payload: '{}', priority: 0, dueAt: new Date(Date.now() + 60_000) },
    { scope: 'anonymous', key: `call ${phoneNumber}`, answerWithinMs: 0 },
  );
  const untouched = await submit([other, other]);
  await room.fleet.settled(untouched);
  const before = await room.fleet.ledger.read(untouched);
  await insertLlmCalls(room.fleet.database.db, [
    ...[1, 2].map((ask) => ({ job_id: ids[0] ?? '', ask, answer: 'Zelda' })),
    { job_id: untouched, answer: 'Ada' },
  ]);
  await room.fleet.nobodyIsAtWork();
  expect(await traces()).toHaveLength(3);

  expect(await forget()).toEqual({
    ...nothingForgotten(),
    jobs_rewritten: 5,
    redis_jobs_removed: 4,
    predictions_deleted: 3,
    answers_deleted: 2,
    cache_entries_deleted: 1,
    idempotency_keys_deleted: 1,
  });
  const gone = { id: '[forgotten]', phoneNumber: '[forgotten]' };
  expect(await room.fleet.ledger.read(ids[0] ?? '')).toMatchObject({
    state: 'completed',
    payload: { contacts: [other, gone, other] },
    result: {
      predictions: [{ contactId: 'other-id' }, { contactId: '[forgotten]' }, { contactId: 'other-id' }],
    },
  });
  expect(await room.fleet.ledger.read(stray)).toMatchObject({ payload: { from: '[forgotten]' } });
  expect(await room.fleet.ledger.read(untouched)).toEqual(before);
  expect(await room.fleet.redis.client.exists(predictionCacheKey(other.phoneNumber))).toBe(1);
  expect(await traces()).toEqual([]);
  expect(await room.fleet.everything()).toContain('"answer":"Ada"');
  expect(await forget()).toEqual(nothingForgotten());
});

test('waiting and delayed jobs go on without the person', async () => {
  const large = { ...other, metadata: { padding: 'x'.repeat(40_000) } };
  const ids = [
    await submit([person, other]),
    await submit([person, large]),
    await submit([person], { delayMs: 1_500 }),
  ];
  expect(await forget()).toEqual({ ...nothingForgotten(), jobs_rewritten: 3, jobs_dispatched_again: 3 });
  expect(await traces()).toEqual([]);
  const seen: string[] = [];
  consume(({ contacts }) => {
    seen.push(...contacts.map(({ id }) => id));
    return Promise.resolve();
  });
  for (const id of ids)
    expect(await room.fleet.settled(id)).toMatchObject({ state: 'completed', attempts: 1 });
  expect(seen.sort()).toEqual(['[forgotten]', '[forgotten]', '[forgotten]', 'other-id', 'other-id']);
  expect(await traces()).toEqual([]);
});

test('a job that a worker has in hand is waited for, or named', async () => {
  const release = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  consume(() => {
    started.resolve();
    return release.promise;
  });
  const id = await submit([person, other]);
  await started.promise;
  expect(await forget(0)).toEqual({ ...nothingForgotten(), running: [id] });
  const waiting = forget(20_000);
  release.resolve();
  expect(await waiting).toMatchObject({
    jobs_rewritten: 1,
    predictions_deleted: 1,
    cache_entries_deleted: 1,
    running: [],
  });
  expect(await room.fleet.settled(id)).toMatchObject({ state: 'completed' });
  expect(await traces()).toEqual([]);
});

test('many jobs: page after page', async () => {
  const { db } = room.fleet.database;
  const rows = Array.from({ length: 450 }, (_, index) => ({
    id: randomUUID(),
    queue: index < 3 ? 'of-another-age' : queue,
    state: 'completed' as const,
    payload: JSON.stringify({ contacts: [index % 3 === 0 ? person : other] }),
    priority: 0,
    created_at: new Date(),
    due_at: new Date(),
    finished_at: new Date(),
  }));
  await db.insertInto('jobs').values(rows).execute();
  expect(await forget()).toEqual({ ...nothingForgotten(), jobs_rewritten: 150 });
  expect(await traces()).toEqual([]);
});

describe('presage forget', () => {
  test('prints what it did, and empties the Redis of the caches', async () => {
    const cacheUrl = room.redis.url.replace(/\/0$/, '/1');
    await room.fleet.redis.client.set(predictionCacheKey(phoneNumber), '{}');
    await room.fleet.redis.client.call('MOVE', predictionCacheKey(phoneNumber), '1');
    const stored = await runPresage(
      ['enqueue', queue, '--json', JSON.stringify({ contacts: [person] }), '--delay', '60000'],
      room.fleet.environment,
    );
    expect(stored.exitCode).toBe(0);
    const run = await runPresage(['forget', '--phone', phoneNumber], {
      ...room.fleet.environment,
      CACHE_REDIS_URL: cacheUrl,
    });
    expect(run).toMatchObject({ exitCode: 0, messages: '' });
    expect(JSON.parse(run.output)).toEqual({
      ...nothingForgotten(),
      jobs_rewritten: 1,
      jobs_dispatched_again: 1,
      cache_entries_deleted: 1,
    });
    expect(run.output).not.toContain(phoneNumber);
    expect(await traces()).toEqual([]);
  });

  test.each([
    [['forget'], 'Say who'],
    [['forget', '--phone', '0501234567'], 'E.164'],
    [['forget', '--phone', '+0501234567'], 'E.164'],
    [['forget', '--phone', "+97250' or 1=1"], 'E.164'],
    [['forget', '--lead', ' l-1'], 'must be 1 to 128 characters'],
    [['forget', '--lead', 'l-1', '--user', 'u-1'], 'One at a time'],
    [['forget', '--phone', phoneNumber, '--user', 'u-1'], 'One at a time'],
    [['forget', '--user', ' '], 'must be 1 to 256 characters'],
    [['forget', '--user', 'u'.repeat(257)], 'must be 1 to 256 characters'],
  ])('%j is wrong usage', async (argv, message) => {
    const run = await runPresage(argv, room.fleet.environment);
    expect(run).toMatchObject({ exitCode: 2, output: '' });
    expect(run.messages).toContain(message);
  });

  test.each(['REDIS_URL', 'CACHE_REDIS_URL', 'DATABASE_URL'])(
    '%s does not answer: nothing is done',
    async (name) => {
      await submit([person], { delayMs: 60_000 });
      const address = name === 'DATABASE_URL' ? 'mysql://u:p@127.0.0.1:1/x' : 'redis://127.0.0.1:1';
      const run = await runPresage(['forget', '--phone', phoneNumber], {
        ...room.fleet.environment,
        [name]: address,
      });
      expect(run).toMatchObject({ exitCode: 1, output: '' });
      expect(run.messages).toContain('does not answer');
      expect(run.messages).not.toMatch(/\n\s+at /);
      expect(await traces()).toHaveLength(3);
    },
  );
});
