import { Queue } from 'bullmq';
import { z } from 'zod';
import { defineQueue } from '../../../shared/contracts/define-queue.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { busyMachineMs, until } from '../../support/until.ts';

const doubling = defineQueue({
  name: 'doubling',
  payload: z.object({ number: z.number(), padding: z.string().optional() }),
  result: z.object({ doubled: z.number() }),
  attempts: 3,
  deadlineMs: 60_000,
  lane: 'interactive',
});
const hasty = defineQueue({ ...doubling, name: 'hasty', attempts: 1, deadlineMs: 100 });

let fleet: TestFleet;
beforeEach(async () => {
  fleet = await openTestFleet([doubling, hasty]);
});
afterEach(() => fleet[Symbol.asyncDispose]());

async function settled(jobId: string) {
  const record = await fleet.results.wait(jobId, busyMachineMs);
  if (!record) throw new Error(`the job ${jobId} is not settled`);
  return record;
}

const double = { start: ({ number }: { number: number }) => Promise.resolve({ doubled: number * 2 }) };

test('a job travels from accept to its result', async () => {
  fleet.consume(doubling, double);
  const job = await fleet.enqueue.enqueue(doubling, { number: 21 }, { replyTo: fleet.results.name });
  expect(await settled(job.id)).toMatchObject({
    state: 'completed',
    result: { doubled: 42 },
    attempts: 1,
    error: null,
  });
});

test('many jobs at once are each done once', async () => {
  const runs = new Map<string, number>();
  fleet.consume(doubling, {
    start({ number }, { jobId }) {
      runs.set(jobId, (runs.get(jobId) ?? 0) + 1);
      return Promise.resolve({ doubled: number * 2 });
    },
  });
  const jobs = await Promise.all(
    Array.from({ length: 500 }, (_, number) => fleet.enqueue.enqueue(doubling, { number })),
  );
  const records = await Promise.all(jobs.map((job) => settled(job.id)));
  expect(records.map((record) => record.result)).toEqual(jobs.map((_, number) => ({ doubled: number * 2 })));
  expect([...runs.values()].every((count) => count === 1)).toBe(true);
});

test('who works on a queue is counted', async () => {
  const workers = () => fleet.dispatcher.workers(doubling.name);
  expect(await workers()).toBe(0);
  fleet.consume(doubling, double);
  fleet.consume(doubling, double);
  fleet.consume(hasty, double);
  await until(async () => (await workers()) === 2);
});

test('a payload over 32 KiB stays in the ledger', async () => {
  fleet.consume(doubling, double);
  const payload = { number: 4, padding: 'x'.repeat(40_000) };
  const job = await fleet.enqueue.enqueue(doubling, payload, { delayMs: 300 });
  const inRedis = await fleet.redis.client.hget(
    `${fleet.keys.prefix('doubling')}:doubling:${job.id}`,
    'data',
  );
  expect(inRedis).not.toContain('xxxx');
  expect(await settled(job.id)).toMatchObject({ result: { doubled: 8 }, payload });
});

test('a payload that does not fit is refused at accept, and nothing is accepted', async () => {
  await expect(fleet.enqueue.enqueue(doubling, { number: 'four' })).rejects.toMatchObject({
    kind: 'invalid-input',
    issues: [{ path: ['number'] }],
  });
  expect(await fleet.ledger.list({ limit: 10 })).toEqual([]);
});

test('a payload that no longer fits at pick-up is kept as failed, and the worker goes on', async () => {
  const older = { ...doubling, payload: z.object({ amount: z.number() }) };
  const job = await fleet.enqueue.enqueue(older, { amount: 4 });
  fleet.consume(doubling, double);
  expect(await settled(job.id)).toMatchObject({
    state: 'failed',
    error: { kind: 'invalid-input', code: 'INVALID_PAYLOAD' },
  });
  const next = await fleet.enqueue.enqueue(doubling, { number: 1 });
  expect(await settled(next.id)).toMatchObject({ state: 'completed' });
});

test('garbage put straight into Redis becomes a dead letter, and the worker lives', async () => {
  fleet.consume(doubling, double);
  const queue = new Queue('doubling', {
    connection: fleet.redis.client,
    prefix: fleet.keys.prefix('doubling'),
  });
  await queue.add('nonsense', { anything: ['goes'] });
  await queue.add('nonsense', null);
  await queue.add('nonsense', { id: 'not-a-uuid', generation: 'x' });
  await fleet.redis.client.lpush(`${fleet.keys.prefix('doubling')}:doubling:wait`, 'no-such-job');
  await until(async () => (await fleet.ledger.list({ states: ['failed'], limit: 10 })).length >= 3);
  const strays = await fleet.ledger.list({ states: ['failed'], limit: 10 });
  expect(strays.map((stray) => stray.payload)).toContainEqual({ anything: ['goes'] });
  expect(strays.every((stray) => stray.error?.code === 'NOT_A_JOB')).toBe(true);
  const next = await fleet.enqueue.enqueue(doubling, { number: 3 });
  expect(await settled(next.id)).toMatchObject({ result: { doubled: 6 } });
  await queue.close();
});

test('a job whose data is not JSON becomes a dead letter too', async () => {
  const key = `${fleet.keys.prefix('doubling')}:doubling`;
  await fleet.redis.client.hset(
    `${key}:odd-1`,
    'name',
    'x',
    'data',
    'not {json',
    'opts',
    '{}',
    'timestamp',
    '1',
  );
  await fleet.redis.client.lpush(`${key}:wait`, 'odd-1');
  fleet.consume(doubling, double);
  await until(async () => (await fleet.ledger.list({ states: ['failed'], limit: 10 })).length === 1);
  expect(await fleet.ledger.list({ states: ['failed'], limit: 10 })).toMatchObject([
    { payload: 'not {json', error: { code: 'NOT_A_JOB' } },
  ]);
  expect(await fleet.redis.client.exists(`${key}:odd-1`)).toBe(0);
  const next = await fleet.enqueue.enqueue(doubling, { number: 3 });
  expect(await settled(next.id)).toMatchObject({ result: { doubled: 6 } });
});

test('a transient failure is tried again, and Retry-After is honoured', async () => {
  const startedAt: number[] = [];
  const isSeen = Promise.withResolvers<void>();
  fleet.consume(doubling, {
    async start({ number }, { attempt }) {
      startedAt.push(Date.now());
      if (attempt === 1) {
        throw new JobError('rate-limited', 'slow down', { code: 'THROTTLED', retryAfterMs: 1_500 });
      }
      await isSeen.promise;
      return { doubled: number * 2 };
    },
  });
  const job = await fleet.enqueue.enqueue(doubling, { number: 5 });
  await until(async () => (await fleet.ledger.read(job.id))?.error?.code === 'THROTTLED');
  isSeen.resolve();
  expect(await settled(job.id)).toMatchObject({ state: 'completed', attempts: 2 });
  expect(Number(startedAt[1]) - Number(startedAt[0])).toBeGreaterThanOrEqual(1_500);
});

test('a permanent failure is not tried again', async () => {
  let runs = 0;
  fleet.consume(doubling, {
    start() {
      runs += 1;
      throw new JobError('permanent', 'refused', { code: 'REFUSED' });
    },
  });
  const job = await fleet.enqueue.enqueue(doubling, { number: 5 });
  expect(await settled(job.id)).toMatchObject({ state: 'failed', attempts: 1, error: { code: 'REFUSED' } });
  expect(runs).toBe(1);
});

test('attempts run out', async () => {
  fleet.consume(doubling, {
    start() {
      throw new Error('always');
    },
  });
  const job = await fleet.enqueue.enqueue(doubling, { number: 5 });
  expect(await settled(job.id)).toMatchObject({
    state: 'failed',
    attempts: 3,
    error: { code: 'INTERNAL_ERROR' },
  });
});

test('a reopened job is a new generation, and a late settle of the old one has no effect', async () => {
  let refuse = true;
  fleet.consume(doubling, {
    start({ number }) {
      if (refuse) throw new JobError('permanent', 'refused', { code: 'REFUSED' });
      return Promise.resolve({ doubled: number * 2 });
    },
  });
  fleet.startRelay();
  const job = await fleet.enqueue.enqueue(doubling, { number: 5 });
  await settled(job.id);
  refuse = false;
  expect(await fleet.ledger.reopen(job.id)).toBe(true);
  const late = await fleet.ledger.settle({
    id: job.id,
    generation: 1,
    parentId: null,
    attempts: 1,
    outcome: { state: 'completed', result: '{"doubled":0}' },
  });
  expect(late.won).toBe(false);
  expect(await settled(job.id)).toMatchObject({
    state: 'completed',
    result: { doubled: 10 },
    generation: 2,
    attempts: 1,
  });
  expect(await fleet.ledger.reopen(job.id)).toBe(false);
});

test('the deadline aborts the signal', async () => {
  fleet.consume(hasty, {
    start: (_payload, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  });
  const job = await fleet.enqueue.enqueue(hasty, { number: 5 });
  expect(await settled(job.id)).toMatchObject({ state: 'failed', error: { code: 'DEADLINE_EXCEEDED' } });
});

test('cancelling aborts a running job; what it answers later has no effect', async () => {
  const started = Promise.withResolvers<AbortSignal>();
  const release = Promise.withResolvers<{ doubled: number }>();
  fleet.consume(doubling, {
    start(_payload, { signal }) {
      started.resolve(signal);
      return release.promise;
    },
  });
  const job = await fleet.enqueue.enqueue(doubling, { number: 5 });
  const signal = await started.promise;
  expect(await fleet.ledger.cancel(job.id)).toEqual([job.id]);
  await fleet.redis.client.publish(fleet.keys.cancelChannel(), job.id);
  await until(() => signal.aborted);
  release.resolve({ doubled: 10 });
  await until(() =>
    fleet.metrics.registry
      .getSingleMetricAsString('presage_jobs_total')
      .then((text) => text.includes('superseded')),
  );
  expect(await fleet.ledger.read(job.id)).toMatchObject({
    state: 'cancelled',
    result: null,
    error: { code: 'CANCELLED' },
  });
});

test('stopping waits for jobs in hand, and releases those that take too long without spending an attempt', async () => {
  const started = Promise.withResolvers<void>();
  const first = fleet.consume(
    doubling,
    {
      start: (_payload, { signal }) =>
        new Promise((_resolve, reject) => {
          started.resolve();
          signal.addEventListener('abort', () => reject(new Error('stopped in the middle')));
        }),
    },
    { finishWithinMs: 50 },
  );
  const job = await fleet.enqueue.enqueue(doubling, { number: 8 });
  await started.promise;
  await first[Symbol.asyncDispose]();
  fleet.consume(doubling, double);
  expect(await settled(job.id)).toMatchObject({ state: 'completed', result: { doubled: 16 }, attempts: 1 });
});

test('a worker that has stopped taking jobs while some wait tells so, and a paused queue is not that', async () => {
  const release = Promise.withResolvers<void>();
  const wedged = fleet.consume(
    hasty,
    {
      // It does not heed its signal, so its slot is not free for long.
      start: async ({ number }) => {
        await release.promise;
        return { doubled: number * 2 };
      },
    },
    { concurrency: 1, stalledAfterMs: 200 },
  );
  await fleet.enqueue.enqueue(hasty, { number: 1 });
  await until(async () => (await fleet.dispatcher.depth('hasty')).active === 1);
  expect(wedged.state()).toBe('consuming');
  // More than one: a slot whose job does not heed its deadline is given up after a while, and takes the next.
  await Promise.all([2, 3, 4, 5, 6, 7, 8].map((number) => fleet.enqueue.enqueue(hasty, { number })));
  await until(() => wedged.state() === 'stalled');
  await fleet.dispatcher.setPaused('hasty', true);
  await until(() => wedged.state() === 'consuming');
  await fleet.dispatcher.setPaused('hasty', false);
  await until(() => wedged.state() === 'stalled');
  release.resolve();
  await until(() => wedged.state() === 'consuming');
});

test('a unique key makes one job of many accepts', async () => {
  fleet.consume(doubling, double);
  const jobs = await Promise.all(
    Array.from({ length: 20 }, () =>
      fleet.enqueue.enqueue(doubling, { number: 1 }, { uniqueKey: 'nightly@2026-01-01' }),
    ),
  );
  expect(new Set(jobs.map((job) => job.id)).size).toBe(1);
  expect(jobs.filter((job) => job.created)).toHaveLength(1);
});

test('accepting within a transaction that rolls back leaves nothing', async () => {
  const rolledBack = fleet.database.db.transaction().execute(async (transaction) => {
    await fleet.enqueue.enqueueWithin(transaction, doubling, { number: 1 });
    throw new Error('changed my mind');
  });
  await expect(rolledBack).rejects.toThrow('changed my mind');
  expect(await fleet.ledger.list({ limit: 10 })).toEqual([]);
});
