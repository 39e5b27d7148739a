import { z } from 'zod';
import { defineQueue } from '../../../shared/contracts/define-queue.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import type { ChildOutcome } from '../../../shared/ledger/fan-out.ts';
import { FanOut, type FanOutOptions } from '../../../shared/queue/handlers.ts';
import { retryJob } from '../../../shared/queue/steer-job.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { until } from '../../support/until.ts';

const doubling = defineQueue({
  name: 'doubling',
  payload: z.object({ number: z.number() }),
  result: z.object({ doubled: z.number() }),
  attempts: 3,
  deadlineMs: 60_000,
  lane: 'interactive',
  identityOf: ({ number }) => number,
});
const summing = defineQueue({
  name: 'summing',
  payload: z.object({ numbers: z.array(z.number()) }),
  result: z.object({ sum: z.number(), open: z.number(), failed: z.number(), told: z.unknown() }),
  attempts: 3,
  deadlineMs: 60_000,
  lane: 'bulk',
});

let fleet: TestFleet;
beforeEach(async () => {
  fleet = await openTestFleet([doubling, summing]);
});
afterEach(() => fleet[Symbol.asyncDispose]());

async function settled(jobId: string) {
  await until(async () => (await fleet.ledger.settledAmong([jobId])).length === 1);
  return await fleet.ledger.read(jobId);
}

async function sumUp(children: AsyncIterable<ChildOutcome>, told: unknown) {
  const summary = { sum: 0, open: 0, failed: 0, told };
  for await (const { state, result } of children) {
    if (state === 'completed') summary.sum += doubling.result.parse(result).doubled;
    else if (state === 'open') summary.open += 1;
    else summary.failed += 1;
  }
  return summary;
}

/** Accepts a job for each number as a child of the given one, as a handler does that cannot hold all of them. */
async function acceptChildren(parentId: string, numbers: readonly number[]): Promise<string[]> {
  const accepted = await fleet.database.db.transaction().execute((transaction) =>
    fleet.enqueue.enqueueAllWithin(
      transaction,
      doubling,
      numbers.map((number) => ({ number })),
      { parentId, priority: 7 },
    ),
  );
  await fleet.enqueue.dispatchAll(accepted);
  return accepted.map(({ id }) => id);
}

/** A summing worker whose start accepts its children itself. */
function consumeSumming(
  options: () => FanOutOptions,
  afterAccept: (ids: string[]) => Promise<unknown> = () => Promise.resolve(),
) {
  fleet.consume(summing, {
    async start({ numbers }, { jobId }) {
      await afterAccept(await acceptChildren(jobId, numbers));
      return new FanOut([], options());
    },
    finish: (_payload, _context, children, interim) => sumUp(children, interim),
  });
}

const double = ({ number }: { number: number }) => Promise.resolve({ doubled: number * 2 });

test('the last child dispatches the finish step, failed children included', async () => {
  fleet.consume(doubling, {
    start({ number }) {
      if (number === 13) throw new JobError('permanent', 'unlucky', { code: 'UNLUCKY' });
      return double({ number });
    },
  });
  const positions: (number | null)[] = [];
  fleet.consume(summing, {
    start: ({ numbers }) =>
      Promise.resolve(new FanOut(numbers.map((number) => ({ contract: doubling, payload: { number } })))),
    async finish(_payload, _context, children, interim) {
      async function* noted() {
        for await (const child of children) {
          positions.push(child.position);
          yield child;
        }
      }
      return await sumUp(noted(), interim);
    },
  });
  const many = await fleet.enqueue.enqueue(summing, {
    numbers: Array.from({ length: 450 }, () => 1).concat([13]),
  });
  expect((await settled(many.id))?.result).toEqual({ sum: 900, open: 0, failed: 1, told: null });
  expect(positions).toEqual(Array.from({ length: 451 }, (_, position) => position));
  const none = await fleet.enqueue.enqueue(summing, { numbers: [] });
  expect((await settled(none.id))?.result).toEqual({ sum: 0, open: 0, failed: 0, told: null });
});

test('a handler accepts its children itself, and hands something to its finish step', async () => {
  fleet.consume(doubling, { start: double });
  consumeSumming(() => ({ interim: { counted: [1, 'two'] } }));
  // The same number again and again: children have no identity of their own.
  const numbers = Array.from({ length: 1_203 }, () => 5);
  const job = await fleet.enqueue.enqueue(summing, { numbers });
  expect((await settled(job.id))?.result).toEqual({
    sum: 12_030,
    open: 0,
    failed: 0,
    told: { counted: [1, 'two'] },
  });
  const page = await fleet.ledger.browse({ parentId: job.id, limit: 2_000, searchForMs: 1_000 });
  expect(page.jobs).toHaveLength(1_203);
  expect(new Set(page.jobs.map(({ priority, childPosition }) => `${priority} ${childPosition}`))).toEqual(
    new Set(['7 null']),
  );
});

test('children that are done before their parent fans out are seen all the same', async () => {
  fleet.consume(doubling, { start: double });
  consumeSumming(
    () => ({}),
    (ids) => Promise.all(ids.map(settled)),
  );
  const job = await fleet.enqueue.enqueue(summing, { numbers: [1, 2, 3] });
  expect((await settled(job.id))?.result).toEqual({ sum: 12, open: 0, failed: 0, told: null });
});

test('a parent whose time is over finishes without its open children; these change nothing any more', async () => {
  const release = Promise.withResolvers<void>();
  const worker = fleet.consume(doubling, {
    async start({ number }) {
      if (number > 2) await release.promise;
      return double({ number });
    },
  });
  let late: string[] = [];
  consumeSumming(
    () => ({ until: new Date(), interim: 'in time' }),
    async ([first = '', second = '', ...others]) => {
      late = others;
      await Promise.all([settled(first), settled(second)]);
    },
  );
  const job = await fleet.enqueue.enqueue(summing, { numbers: [1, 2, 3, 4] });
  const summary = { sum: 6, open: 2, failed: 0, told: 'in time' };
  const before = await settled(job.id);
  expect(before?.result).toEqual(summary);
  release.resolve();
  const children = await Promise.all(late.map((id) => settled(id)));
  await worker[Symbol.asyncDispose]();
  expect(children.map((child) => child?.result)).toEqual([{ doubled: 6 }, { doubled: 8 }]);
  expect(await fleet.ledger.read(job.id)).toEqual(before);
});

test('an operator’s retry knows nothing of what the failed run had left', async () => {
  fleet.consume(doubling, { start: double });
  const told = ['first', undefined];
  let finishes = 0;
  fleet.consume(summing, {
    start: () => Promise.resolve(new FanOut([], { interim: told.shift() })),
    finish(_payload, _context, children, interim) {
      finishes += 1;
      if (finishes === 1) throw new JobError('permanent', 'not today', { code: 'NOT_TODAY' });
      return sumUp(children, interim);
    },
  });
  const job = await fleet.enqueue.enqueue(summing, { numbers: [] });
  expect(await settled(job.id)).toMatchObject({ state: 'failed', interim: 'first' });
  expect(await retryJob(job.id, fleet)).toBe(true);
  await until(async () => (await fleet.ledger.read(job.id))?.state === 'completed');
  expect((await settled(job.id))?.result).toEqual({ sum: 0, open: 0, failed: 0, told: null });
});
