import { z } from 'zod';
import { defineQueue } from '../../../shared/contracts/define-queue.ts';
import { JobError, MustWaitError, StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import type { JobContext } from '../../../shared/queue/job-context.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { busyMachineMs, until } from '../../support/until.ts';

const doubling = defineQueue({
  name: 'doubling',
  payload: z.object({ number: z.number(), note: z.object({ a: z.number(), b: z.number() }).optional() }),
  result: z.object({ doubled: z.number() }),
  attempts: 2,
  deadlineMs: 60_000,
  lane: 'interactive',
});
const numbered = defineQueue({ ...doubling, name: 'numbered', identityOf: ({ note }) => note });

let fleet: TestFleet;
beforeEach(async () => {
  fleet = await openTestFleet([doubling, numbered]);
});
afterEach(() => fleet[Symbol.asyncDispose]());

function nobodyNow(waitMs: number): MustWaitError {
  return new MustWaitError('Nobody can do it now', { code: 'NOBODY_NOW', waitMs });
}

test('a job that nobody can do now comes back later, without spending an attempt', async () => {
  const runs: Pick<JobContext, 'attempt' | 'isLastAttempt' | 'waitedMs' | 'mayHaveRunBefore'>[] = [];
  fleet.consume(doubling, {
    start({ number }, { attempt, isLastAttempt, waitedMs, mayHaveRunBefore }) {
      runs.push({ attempt, isLastAttempt, waitedMs, mayHaveRunBefore });
      if (runs.length < 5) return Promise.reject(nobodyNow(50));
      return Promise.resolve({ doubled: number * 2 });
    },
  });
  const job = await fleet.enqueue.enqueue(doubling, { number: 21 });
  const record = await fleet.results.wait(job.id, busyMachineMs);
  expect(record).toMatchObject({ state: 'completed', attempts: 1, error: null });
  expect(runs.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1]);
  expect(runs[0]).toEqual({ attempt: 1, isLastAttempt: false, waitedMs: 0, mayHaveRunBefore: false });
  expect(runs.slice(1).every((run) => run.mayHaveRunBefore)).toBe(true);
  const waits = runs.map(({ waitedMs }) => waitedMs);
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  // From the first moment on, not from the last.
  expect(waits.at(-1)).toBeGreaterThanOrEqual(4 * 50);
});

test('after the waiting, attempts are counted as before, and the last one is told that it is', async () => {
  const last: boolean[] = [];
  fleet.consume(doubling, {
    start(_payload, { waitedMs, isLastAttempt }) {
      if (waitedMs === 0) return Promise.reject(nobodyNow(10));
      last.push(isLastAttempt);
      return Promise.reject(new JobError('transient', 'failed', { code: 'FAILED' }));
    },
  });
  const job = await fleet.enqueue.enqueue(doubling, { number: 1 });
  expect(await fleet.results.wait(job.id, busyMachineMs)).toMatchObject({ state: 'failed', attempts: 2 });
  expect(last).toEqual([false, true]);
});

test('a waiting job can be cancelled', async () => {
  fleet.consume(doubling, { start: () => Promise.reject(nobodyNow(60_000)) });
  const job = await fleet.enqueue.enqueue(doubling, { number: 1 });
  await until(async () => (await fleet.dispatcher.depth('doubling')).delayed === 1);
  expect(await fleet.ledger.cancel(job.id)).toEqual([job.id]);
});

test("while a queue's own store is away, consuming pauses and no attempt is spent", async () => {
  let storeIsUp = false;
  const consumer = fleet.consume(
    doubling,
    {
      start: ({ number }) =>
        storeIsUp
          ? Promise.resolve({ doubled: number * 2 })
          : Promise.reject(new StoreUnavailableError('dynamodb', new Error('away'))),
    },
    { storeIsUp: () => Promise.resolve(storeIsUp) },
  );
  const job = await fleet.enqueue.enqueue(doubling, { number: 2 });
  await until(() => Promise.resolve(consumer.state() === 'parked'));
  storeIsUp = true;
  expect(await fleet.results.wait(job.id, busyMachineMs)).toMatchObject({ state: 'completed', attempts: 1 });
});

test('payloads of one identity are one job, however they are written and sent', async () => {
  const first = await fleet.enqueue.enqueue(numbered, { number: 1, note: { a: 1, b: 2 } });
  const again = await fleet.enqueue.enqueue(numbered, { number: 1, note: { b: 2, a: 1 } });
  const other = await fleet.enqueue.enqueue(numbered, { number: 1, note: { a: 2, b: 1 } });
  expect([first.created, again.created, other.created]).toEqual([true, false, true]);
  expect(again.id).toBe(first.id);
  expect(await fleet.ledger.list({ limit: 10 })).toHaveLength(2);
});

test('an idempotency key and an identity agree on the job', async () => {
  const payload = { number: 1, note: { a: 1, b: 2 } };
  const key = (name: string) => ({ scope: 'shop', key: name, answerWithinMs: 0 });
  const first = await fleet.enqueue.enqueue(numbered, payload);
  const keyed = await fleet.enqueue.enqueueIdempotently(numbered, payload, key('k1'));
  expect(keyed).toMatchObject({ kind: 'first', job: { id: first.id, created: false } });
  expect(await fleet.enqueue.enqueueIdempotently(numbered, payload, key('k1'))).toMatchObject({
    kind: 'replay',
    jobId: first.id,
  });
  const many = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      fleet.enqueue.enqueueIdempotently(
        numbered,
        { number: 2, note: { a: 7, b: 7 } },
        key(`other-${index % 4}`),
      ),
    ),
  );
  const ids = new Set(
    many.map((outcome) => (outcome.kind === 'first' ? outcome.job.id : 'jobId' in outcome && outcome.jobId)),
  );
  expect(ids.size).toBe(1);
  expect(await fleet.ledger.list({ limit: 10 })).toHaveLength(2);
});
