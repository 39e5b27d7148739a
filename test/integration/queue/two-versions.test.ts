import { z } from 'zod';
import { defineQueue, type QueueContract } from '../../../shared/contracts/define-queue.ts';
import { FanOut } from '../../../shared/queue/handlers.ts';
import { describeJob } from '../../../shared/queue/describe-job.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { until as untilTrue } from '../../support/until.ts';

// Workers and producers of two versions of the fleet on one queue: the older ones know version 1 of its payload, the
// newer ones version 2 as well.

const common = { attempts: 3, deadlineMs: 60_000, lane: 'interactive' } as const;
const greetingResult = z.object({ greeted: z.int() });
const oldGreeting = defineQueue({
  ...common,
  name: 'greeting',
  payload: z.object({ name: z.string() }),
  result: greetingResult,
});
const newGreeting = defineQueue({
  ...common,
  name: 'greeting',
  result: greetingResult,
  payload: z.object({ names: z.array(z.string()) }),
  upgrades: [(older) => ({ names: [oldGreeting.payload.parse(older).name] })],
});

const oldTour = defineQueue({
  ...common,
  name: 'tour',
  payload: z.object({ stops: z.int() }),
  result: greetingResult,
});
const newTour = defineQueue({
  ...common,
  name: 'tour',
  result: greetingResult,
  payload: z.object({ stops: z.int(), at_each: z.int() }),
  upgrades: [(older) => ({ ...oldTour.payload.parse(older), at_each: 1 })],
});

/** A busy machine has time. */
function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  return untilTrue(condition);
}

type Side = 'old' | 'new';
let fleet: TestFleet;
/** By job, who ran it. */
let runs: Map<string, Side[]>;

beforeEach(async () => {
  fleet = await openTestFleet([oldGreeting, oldTour]);
  runs = new Map();
});
afterEach(() => fleet[Symbol.asyncDispose]());

function noteRun(jobId: string, by: Side): void {
  runs.set(jobId, [...(runs.get(jobId) ?? []), by]);
}

async function sumOf(children: AsyncIterable<{ result: unknown }>): Promise<{ greeted: number }> {
  let greeted = 0;
  for await (const { result } of children) greeted += greetingResult.parse(result).greeted;
  return { greeted };
}

function startOldWorkers(): AsyncDisposable[] {
  return [
    fleet.consume(oldGreeting, {
      start(_payload, { jobId, waitedMs }) {
        noteRun(jobId, 'old');
        return Promise.resolve({ greeted: waitedMs === 0 ? 1 : Number.NaN });
      },
    }),
    fleet.consume(oldTour, {
      start({ stops }, { jobId }) {
        noteRun(jobId, 'old');
        const payload = { name: 'one' };
        return Promise.resolve(
          new FanOut(Array.from({ length: stops }, () => ({ contract: oldGreeting, payload }))),
        );
      },
      finish: (_payload, _context, children) => sumOf(children),
    }),
  ];
}

function startNewWorkers(): AsyncDisposable[] {
  return [
    fleet.consume(newGreeting, {
      start({ names }, { jobId, waitedMs }) {
        noteRun(jobId, 'new');
        // Having been left is no reason to give up.
        return Promise.resolve({ greeted: waitedMs === 0 ? names.length : Number.NaN });
      },
    }),
    fleet.consume(newTour, {
      start({ stops, at_each: atEach }, { jobId }) {
        noteRun(jobId, 'new');
        const payload = { names: Array.from({ length: atEach }, () => 'one') };
        return Promise.resolve(
          new FanOut(Array.from({ length: stops }, () => ({ contract: newGreeting, payload }))),
        );
      },
      finish: (_payload, _context, children) => sumOf(children),
    }),
  ];
}

/** As upgrades end. Until then chance decides how often a job meets a worker that leaves it. */
async function stopAll(workers: readonly AsyncDisposable[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
}

async function accept(contract: QueueContract, payloads: readonly unknown[]): Promise<string[]> {
  const jobs = await Promise.all(payloads.map((payload) => fleet.enqueue.enqueue(contract, payload)));
  return jobs.map(({ id }) => id);
}

async function settled(ids: readonly string[]) {
  await until(async () => (await fleet.ledger.settledAmong(ids)).length === ids.length);
  return fleet.ledger.list({ ids, limit: ids.length });
}

/** How often a worker has left a job to a newer one. */
async function timesLeft(): Promise<number> {
  const { values } = await fleet.metrics.jobs.get();
  return values.reduce((count, { labels, value }) => count + (labels.outcome === 'left' ? value : 0), 0);
}

function times<Value>(count: number, value: Value): Value[] {
  return Array.from({ length: count }, () => value);
}

test('both versions share the queues: every job is done once, and each by a worker that knows it', async () => {
  fleet.startRelay();
  const oldWorkers = startOldWorkers();
  const [oldOnes, newOnes, oldTours, newTours] = await Promise.all([
    accept(oldGreeting, times(40, { name: 'one' })),
    accept(newGreeting, times(40, { names: ['one', 'two'] })),
    accept(oldTour, times(10, { stops: 3 })),
    accept(newTour, times(10, { stops: 3, at_each: 2 })),
  ]);
  await until(async () => (await timesLeft()) > 0);
  startNewWorkers();
  await settled(oldOnes);
  await stopAll(oldWorkers);
  const records = await settled([...oldOnes, ...newOnes, ...oldTours, ...newTours]);
  const greetedBy = (ids: readonly string[]) =>
    new Set(records.filter(({ id }) => ids.includes(id)).map(({ result }) => JSON.stringify(result)));
  expect(greetedBy(oldOnes)).toEqual(new Set(['{"greeted":1}']));
  expect(greetedBy(newOnes)).toEqual(new Set(['{"greeted":2}']));
  expect(greetedBy(oldTours)).toEqual(new Set(['{"greeted":3}']));
  expect(greetedBy(newTours)).toEqual(new Set(['{"greeted":6}']));

  const everything = await fleet.ledger.list({ limit: 1_000 });
  expect(everything).toHaveLength(100 + 20 * 3);
  expect(new Set(everything.map(({ state, attempts }) => `${state} ${attempts}`))).toEqual(
    new Set(['completed 1']),
  );
  for (const { id, payloadVersion } of everything) {
    if (payloadVersion === 2) expect(new Set(runs.get(id))).toEqual(new Set(['new']));
  }
});

test('rolled back: what only the newer workers can do waits where it is seen, and is done when they are back', async () => {
  fleet.startRelay();
  const oldWorkers = startOldWorkers();
  const left = [
    ...(await accept(newGreeting, times(5, { names: ['one', 'two'] }))),
    ...(await accept(newTour, [{ stops: 1, at_each: 2 }])),
    // Too large for Redis: the version is read where the payload is.
    ...(await accept(newGreeting, [{ names: ['x'.repeat(40_000), 'two'] }])),
  ];
  const code = 'NEWER_PAYLOAD';
  await until(async () =>
    (await fleet.ledger.list({ ids: left, limit: 10 })).every(({ error }) => error?.code === code),
  );
  for (const record of await fleet.ledger.list({ ids: left, limit: 10 })) {
    expect(await describeJob(record, fleet)).toMatchObject({
      state: 'accepted',
      attempts: 0,
      error: { code, message: 'The job waits for a worker that knows version 2 of its payload' },
    });
  }
  expect(await timesLeft()).toBeGreaterThanOrEqual(left.length);
  // Once each, however often it is met again.
  const isSaid = (line: string) => line.includes('left to a worker of a newer version');
  await until(() => fleet.logLines.filter(isSaid).length === left.length);
  // The rest goes on.
  await settled(await accept(oldGreeting, times(5, { name: 'one' })));
  expect(left.filter((id) => runs.has(id))).toEqual([]);

  startNewWorkers();
  await stopAll(oldWorkers);
  const done = await settled(left);
  expect(new Set(done.map(({ state, attempts }) => `${state} ${attempts}`))).toEqual(
    new Set(['completed 1']),
  );
  expect(new Set(done.map(({ result }) => JSON.stringify(result)))).toEqual(new Set(['{"greeted":2}']));
  expect(left.map((id) => runs.get(id))).toEqual(times(7, ['new']));
});

test('a payload that no version knows is a dead letter still', async () => {
  startNewWorkers();
  const job = await fleet.ledger.accept({ queue: 'greeting', payload: '{"name":7}', priority: 0 });
  await fleet.enqueue.dispatch(job);
  const [record] = await settled([job.id]);
  expect(record).toMatchObject({
    state: 'failed',
    error: { kind: 'invalid-input', code: 'INVALID_PAYLOAD' },
  });
});

test('a relay leaves jobs of queues that it does not know to a newer one, and mends all others', async () => {
  const unknown = await fleet.ledger.accept({ queue: 'of-a-newer-version', payload: '{}', priority: 0 });
  const lost = await fleet.ledger.accept({ queue: 'greeting', payload: '{"name":"one"}', priority: 0 });
  const { db } = fleet.database;
  await db
    .updateTable('jobs')
    .set({ check_at: new Date(0) })
    .where('id', '=', unknown.id)
    .execute();
  fleet.startRelay();
  startOldWorkers();
  // Not before the relay has met the other one: what it compares at its start would be found in any case.
  await until(() => fleet.logLines.some((line) => line.includes('left to a newer relay')));
  const alsoLost = await fleet.ledger.accept({ queue: 'greeting', payload: '{"name":"two"}', priority: 0 });
  await db
    .updateTable('jobs')
    .set({ check_at: new Date(0) })
    .where('id', 'in', [unknown.id, alsoLost.id])
    .execute();
  expect(await settled([lost.id, alsoLost.id])).toHaveLength(2);
  expect(await fleet.ledger.read(unknown.id)).toMatchObject({ state: 'accepted', attempts: 0 });
});
