import { Queue } from 'bullmq';
import { z } from 'zod';
import { defineQueue } from '../../../shared/contracts/define-queue.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import { FanOut } from '../../../shared/queue/handlers.ts';
import { connectRedis } from '../../../shared/queue/connect-redis.ts';
import { maxStalledCount } from '../../../shared/queue/lock-settings.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { busyMachineMs, until } from '../../support/until.ts';

const echo = defineQueue({
  name: 'echo',
  payload: z.object({ number: z.number() }),
  result: z.object({ number: z.number() }),
  attempts: 3,
  deadlineMs: 60_000,
  lane: 'interactive',
});
const parent = defineQueue({ ...echo, name: 'parent', lane: 'bulk' });

let servers: PrivateServers;
let redis: EmbeddedServer;
let fleet: TestFleet;

beforeEach(async () => {
  servers = await openPrivateServers();
  redis = await servers.startRedis();
  fleet = await openTestFleet([echo, parent], { kind: 'url', url: redis.url });
});
afterEach(async () => {
  await fleet[Symbol.asyncDispose]();
  await servers[Symbol.asyncDispose]();
});

function allCompleted(ids: readonly string[]): Promise<boolean> {
  return fleet.ledger
    .list({ ids, states: ['completed'], limit: ids.length })
    .then((records) => records.length === ids.length);
}

test('what is accepted while Redis is down is done when it is back', async () => {
  const runs = new Map<string, number>();
  fleet.consume(echo, {
    start({ number }, { jobId }) {
      runs.set(jobId, (runs.get(jobId) ?? 0) + 1);
      return Promise.resolve({ number });
    },
  });
  fleet.startRelay();
  await redis.stop();
  const jobs = await Promise.all(
    Array.from({ length: 50 }, (_, number) => fleet.enqueue.enqueue(echo, { number })),
  );
  await redis.start();
  const ids = jobs.map((job) => job.id);
  await until(() => allCompleted(ids));
  expect(ids.every((id) => runs.get(id) === 1)).toBe(true);
});

test('FLUSHALL with jobs waiting and active: all are done, each settled once', async () => {
  const runs = new Map<string, number>();
  let active = 0;
  const release = Promise.withResolvers<void>();
  fleet.consume(
    echo,
    {
      async start({ number }, { jobId }) {
        runs.set(jobId, (runs.get(jobId) ?? 0) + 1);
        if (number < 5) {
          active += 1;
          await release.promise;
        }
        return { number };
      },
    },
    { concurrency: 5 },
  );
  fleet.startRelay();
  const jobs = await Promise.all(
    Array.from({ length: 500 }, (_, number) => fleet.enqueue.enqueue(echo, { number })),
  );
  await until(() => active === 5);
  await fleet.redis.client.flushall();
  release.resolve();
  const ids = jobs.map((job) => job.id);
  await until(() => allCompleted(ids));
  expect([...runs.values()].every((count) => count === 1)).toBe(true);
  // Whoever waits finds the result although the announcement was lost with Redis.
  expect(await fleet.results.wait(ids[0] ?? '', busyMachineMs)).toMatchObject({ result: { number: 0 } });
});

test('a job that Redis takes for finished while the ledger has it open is dispatched again', async () => {
  const queue = new Queue('echo', { connection: fleet.redis.client, prefix: fleet.keys.prefix('echo') });
  const job = await fleet.enqueue.enqueue(echo, { number: 7 });
  // A worker of another fleet completed it without settling.
  const { Worker } = await import('bullmq');
  const connection = connectRedis(
    { kind: 'url', url: redis.url },
    'worker',
    createLogger({ process: 't', level: 'silent' }),
  );
  const impostor = new Worker('echo', () => Promise.resolve(), {
    connection: connection.client,
    prefix: fleet.keys.prefix('echo'),
  });
  await until(async () => (await queue.getJobState(job.id)) === 'completed');
  await impostor.close();
  await connection[Symbol.asyncDispose]();
  fleet.consume(echo, { start: ({ number }) => Promise.resolve({ number }) });
  fleet.startRelay();
  await until(() => allCompleted([job.id]));
  await queue.close();
});

test('a job whose workers died again and again is given up, visibly', async () => {
  const queue = new Queue('echo', { connection: fleet.redis.client, prefix: fleet.keys.prefix('echo') });
  const job = await fleet.enqueue.enqueue(echo, { number: 7 });
  // What BullMQ leaves behind when a job stalled more often than allowed.
  const key = `${fleet.keys.prefix('echo')}:echo`;
  await fleet.redis.client.hset(
    `${key}:${job.id}`,
    'stc',
    maxStalledCount + 1,
    'failedReason',
    'stalled',
    'finishedOn',
    1,
  );
  await fleet.redis.client.lrem(`${key}:wait`, 0, job.id);
  await fleet.redis.client.zadd(`${key}:failed`, Date.now(), job.id);
  fleet.startRelay();
  await until(async () => (await fleet.ledger.read(job.id))?.state === 'failed');
  expect(await fleet.ledger.read(job.id)).toMatchObject({
    error: { kind: 'transient', code: 'WORKER_LOST' },
  });
  await queue.close();
});

test('a parent is finished although Redis was wiped between its children and its finish step', async () => {
  const childStarted = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  fleet.consume(echo, {
    async start({ number }) {
      childStarted.resolve();
      await release.promise;
      return { number };
    },
  });
  fleet.consume(parent, {
    start: () => Promise.resolve(new FanOut([{ contract: echo, payload: { number: 1 } }])),
    async finish(_payload, _context, children) {
      let count = 0;
      for await (const child of children) count += child.state === 'completed' ? 1 : 0;
      return { number: count };
    },
  });
  fleet.startRelay();
  const job = await fleet.enqueue.enqueue(parent, { number: 1 });
  await childStarted.promise;
  await fleet.redis.client.flushall();
  release.resolve();
  await until(() => allCompleted([job.id]));
  expect(await fleet.ledger.read(job.id)).toMatchObject({ result: { number: 1 } });
});

describe('a parent that waits for its children until a given time', () => {
  const release = Promise.withResolvers<void>();
  afterAll(() => release.resolve());

  /** Its child stays open; its result is how many children it saw open. Answers how often it finished. */
  function consumeWaiting(time: Date): { finishes: number } {
    const counted = { finishes: 0 };
    fleet.consume(echo, { start: ({ number }) => release.promise.then(() => ({ number })) });
    fleet.consume(parent, {
      start: () =>
        Promise.resolve(
          new FanOut([{ contract: echo, payload: { number: 1 } }], { until: time, interim: 10 }),
        ),
      async finish(_payload, _context, children, interim) {
        counted.finishes += 1;
        let number = z.number().parse(interim);
        for await (const child of children) number += child.state === 'open' ? 1 : 0;
        return { number };
      },
    });
    return counted;
  }

  test('finishes then, although one is open', async () => {
    fleet.startRelay();
    // It has compared every job for the first time, so that what it sees from now on is due.
    await until(() => fleet.logLines.some((line) => line.includes('comparing every open job')));
    const time = new Date(Date.now() + 500);
    consumeWaiting(time);
    const job = await fleet.enqueue.enqueue(parent, { number: 1 });
    await until(() => allCompleted([job.id]));
    const record = await fleet.ledger.read(job.id);
    expect(record?.result).toEqual({ number: 11 });
    expect(record?.finishedAt?.getTime()).toBeGreaterThanOrEqual(time.getTime());
  });

  test('finishes once when the relays come back after that', async () => {
    const counted = consumeWaiting(new Date(Date.now() + 3_600_000));
    const job = await fleet.enqueue.enqueue(parent, { number: 1 });
    await until(async () => (await fleet.ledger.read(job.id))?.phase === 'children');
    // That hour passes while no relay runs.
    await fleet.database.db
      .updateTable('jobs')
      .set({ children_until: new Date() })
      .where('id', '=', job.id)
      .execute();
    fleet.startRelay();
    fleet.startRelay();
    await until(() => allCompleted([job.id]));
    expect(await fleet.ledger.read(job.id)).toMatchObject({ result: { number: 11 } });
    expect(counted.finishes).toBe(1);
  });
});

test('two relays dispatch a forgotten job once', async () => {
  const runs: string[] = [];
  fleet.consume(echo, {
    start({ number }, { jobId }) {
      runs.push(jobId);
      return Promise.resolve({ number });
    },
  });
  fleet.startRelay();
  fleet.startRelay();
  const jobs = await Promise.all(
    Array.from({ length: 100 }, (_, number) => fleet.enqueue.enqueue(echo, { number }, { delayMs: 500 })),
  );
  await fleet.redis.client.flushall();
  const ids = jobs.map((job) => job.id);
  await until(() => allCompleted(ids));
  expect(new Set(runs).size).toBe(runs.length);
});
