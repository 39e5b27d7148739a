import { z } from 'zod';
import { defineQueue } from '../../../shared/contracts/define-queue.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import { eventsKept, redisRetention } from '../../../shared/queue/open-dispatcher.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { until } from '../../support/until.ts';

const noop = defineQueue({
  name: 'noop',
  payload: z.object({ fails: z.boolean() }),
  result: z.object({}),
  attempts: 1,
  deadlineMs: 10_000,
  lane: 'interactive',
});

let fleet: TestFleet;
beforeEach(async () => {
  fleet = await openTestFleet([noop]);
});
afterEach(() => fleet[Symbol.asyncDispose]());

async function run(count: number, fails: boolean): Promise<void> {
  const jobs = await Promise.all(Array.from({ length: count }, () => fleet.enqueue.enqueue(noop, { fails })));
  const ids = jobs.map(({ id }) => id);
  await until(async () => (await fleet.ledger.settledAmong(ids)).length === count);
}

/** The queue's keys in Redis, counted by what they are. */
async function inRedis() {
  const { client } = fleet.redis;
  const key = `${fleet.keys.prefix(noop.name)}:${noop.name}`;
  const keys = await client.keys(`${key}:*`);
  const ofJobs = keys.filter((name) => /[0-9a-f]{8}-[0-9a-f-]{27}/.test(name));
  return {
    completed: await client.zcard(`${key}:completed`),
    failed: await client.zcard(`${key}:failed`),
    ofJobs: ofJobs.length,
    ofQueue: keys.length - ofJobs.length,
    events: await client.xlen(`${key}:events`),
  };
}

test('Redis keeps a bounded number of finished jobs and of events, also after it was wiped', async () => {
  const { count } = redisRetention.removeOnComplete;
  fleet.consume(
    noop,
    {
      start: ({ fails }) =>
        fails ? Promise.reject(new JobError('permanent', 'no', { code: 'NO' })) : Promise.resolve({}),
    },
    { concurrency: 50 },
  );
  fleet.startRelay();
  // Whole nodes of the stream are cut off, of a hundred events each.
  const mostEvents = eventsKept + 200;
  await run(count + 500, false);
  await run(300, true);
  // The last ones may still be on their way from active to finished.
  await until(async () => (await inRedis()).failed === 300);
  expect(await inRedis()).toMatchObject({ completed: count, failed: 300, ofJobs: count + 300 });

  // Like FLUSHALL, which other tests on this Redis would feel.
  const { client } = fleet.redis;
  await client.del(...(await client.keys(`${fleet.keys.prefix(noop.name)}:*`)));
  await until(async () => (await client.exists(fleet.keys.marker(noop.name))) === 1);
  await run(count + 500, false);
  await until(async () => (await inRedis()).completed === count);
  const kept = await inRedis();
  expect(kept.ofJobs).toBe(count);
  expect(kept.events).toBeLessThanOrEqual(mostEvents);
  expect(kept.ofQueue).toBeLessThan(10);
});
