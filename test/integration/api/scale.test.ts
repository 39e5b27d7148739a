import { createHash } from 'node:crypto';
import { z } from 'zod';
import { buildServer } from '../../../producers/api/build-server.ts';
import { createBacklogMeter } from '../../../producers/api/create-backlog-meter.ts';
import { queueBacklogSchema, type QueueBacklog } from '../../../shared/api-contract/queue-backlog.ts';
import { processSettings } from '../../../shared/config/process-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { defineQueue } from '../../../shared/contracts/define-queue.ts';
import { bulkPriority } from '../../../shared/queue/enqueue.ts';
import { FanOut } from '../../../shared/queue/handlers.ts';
import { apiOptions } from '../../support/api-options.ts';
import { openPrivateServers } from '../../support/open-private-servers.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { until } from '../../support/until.ts';

const counting = defineQueue({
  name: 'counting',
  payload: z.object({ children: z.int().default(0) }),
  result: z.object({}),
  attempts: 1,
  deadlineMs: 600_000,
  lane: 'interactive',
});
const other = defineQueue({ ...counting, name: 'other' });
const queues = [counting.name, other.name];
const url = '/internal/scale/counting';
const inAnHour = { delayMs: 3_600_000 };

let fleet: TestFleet;
beforeEach(async () => {
  fleet = await openTestFleet([counting, other]);
});
afterEach(() => fleet[Symbol.asyncDispose]());

/** A meter of its own each time: what one has measured it answers for a second. */
async function ask(queue: string = counting.name): Promise<QueueBacklog> {
  const measure = createBacklogMeter({ ...fleet, jobsAtOnce: 10 });
  return queueBacklogSchema.parse(await measure(queue));
}

const submit = (options = {}) => fleet.enqueue.enqueue(counting, {}, options);

/** Lets so many jobs be done, each of which took as long as is given, and the worker go. */
async function haveDone(runSeconds: readonly number[]): Promise<void> {
  const worker = fleet.consume(counting, { start: () => Promise.resolve({}) });
  const jobs = await Promise.all(runSeconds.map(() => submit()));
  await until(async () => (await ask()).measured_runs === runSeconds.length);
  await worker[Symbol.asyncDispose]();
  for (const [index, seconds] of runSeconds.entries()) {
    const key = `${fleet.keys.prefix(counting.name)}:${counting.name}:${jobs[index]?.id}`;
    await fleet.redis.client.hset(key, { processedOn: 1_000_000, finishedOn: 1_000_000 + seconds * 1_000 });
  }
}

test('a queue in which nothing waits has no backlog', async () => {
  expect(await ask()).toEqual({
    queue: 'counting',
    backlog_seconds: 0,
    waiting_jobs: 0,
    active_jobs: 0,
    delayed_jobs: 0,
    mean_run_seconds: null,
    measured_runs: 0,
    jobs_at_once: 10,
    paused: false,
  });
});

test('jobs of every priority wait, and so do delayed ones that have come due', async () => {
  await submit();
  await submit({ priority: bulkPriority });
  await submit({ priority: 1_000 });
  await submit(inAnHour);
  await fleet.enqueue.enqueue(other, {});
  expect(await ask()).toMatchObject({ waiting_jobs: 3, delayed_jobs: 1, backlog_seconds: 0.3 });
  const { id } = await submit(inAnHour);
  expect(await ask()).toMatchObject({ waiting_jobs: 3, delayed_jobs: 2 });
  // Its hour is over, and no worker has looked since.
  await fleet.redis.client.zadd(`${fleet.keys.prefix(counting.name)}:${counting.name}:delayed`, 0x1000, id);
  expect(await ask()).toMatchObject({ waiting_jobs: 4, delayed_jobs: 1, active_jobs: 0 });
  expect(await ask(other.name)).toMatchObject({ queue: 'other', waiting_jobs: 1 });
});

test('the backlog is what jobs took lately, shared by the jobs that one worker does at once', async () => {
  await haveDone([1, 3]);
  for (let job = 0; job < 15; job += 1) await submit();
  expect(await ask()).toMatchObject({
    waiting_jobs: 15,
    mean_run_seconds: 2,
    measured_runs: 2,
    backlog_seconds: (15 * 2) / 10,
  });
});

test('of a bulk its children wait, not the job that waits for them', async () => {
  const release = Promise.withResolvers<Record<string, never>>();
  fleet.consume(
    counting,
    {
      start: ({ children }) =>
        children === 0
          ? release.promise
          : Promise.resolve(
              new FanOut(Array.from({ length: children }, () => ({ contract: counting, payload: {} }))),
            ),
      finish: () => Promise.resolve({}),
    },
    { concurrency: 2 },
  );
  await fleet.enqueue.enqueue(counting, { children: 5 });
  await until(async () => (await ask()).active_jobs === 2);
  expect(await ask()).toMatchObject({ waiting_jobs: 3, active_jobs: 2 });
  release.resolve({});
});

test('a paused queue calls for no workers, and says why', async () => {
  await submit();
  await fleet.dispatcher.setPaused(counting.name, true);
  expect(await ask()).toMatchObject({ backlog_seconds: 0, waiting_jobs: 1, paused: true });
  await fleet.dispatcher.setPaused(counting.name, false);
  expect(await ask()).toMatchObject({ backlog_seconds: 0.1, paused: false });
});

test('who asks at the same time is answered with one measurement', async () => {
  let measurements = 0;
  const measure = createBacklogMeter({
    ...fleet,
    jobsAtOnce: 10,
    dispatcher: {
      ...fleet.dispatcher,
      depth(queue) {
        measurements += 1;
        return fleet.dispatcher.depth(queue);
      },
    },
  });
  const [first, second] = await Promise.all([measure(counting.name), measure(counting.name)]);
  expect(second).toEqual(first);
  expect(measurements).toBe(1);
  await measure(other.name);
  expect(measurements).toBe(2);
});

describe('the route', () => {
  const hashed = (key: string) => createHash('sha256').update(key).digest('hex');
  const environment = {
    PRESAGE_API_KEYS: `keda:read:${hashed('keda-key')},shop:produce:${hashed('shop-key')}`,
    API_REQUESTS_PER_MINUTE: '2',
  };
  const { access } = readSettings({ process: processSettings }, environment).process;
  const asKeda = { 'x-api-key': 'keda-key' };

  test('needs a key that reads, and is never throttled', async () => {
    const server = await buildServer(apiOptions(fleet, { queues, access }));
    const status = async (headers: Record<string, string>, at = url) =>
      (await server.inject({ url: at, headers })).statusCode;
    expect(await status({})).toBe(401);
    expect(await status({ 'x-api-key': 'shop-key' })).toBe(403);
    const statuses = new Set<number>();
    for (let request = 0; request < 6; request += 1) statuses.add(await status(asKeda));
    expect([...statuses]).toEqual([200]);
    // Other routes are, with the same key.
    for (let request = 0; request < 3; request += 1) statuses.add(await status(asKeda, '/v1/jobs'));
    expect([...statuses]).toEqual([200, 429]);
    await server.close();
  });

  test('answers 404 for a queue that there is not, and is in the OpenAPI document', async () => {
    const server = await buildServer(apiOptions(fleet, { queues }));
    const unknown = await server.inject('/internal/scale/nonsense');
    expect(unknown.statusCode).toBe(404);
    expect(unknown.headers['content-type']).toContain('application/problem+json');
    expect(unknown.json()).toMatchObject({ code: 'NOT_FOUND', detail: 'There is no queue of this name.' });
    const described = await server.inject('/openapi.json');
    expect(described.json()).toMatchObject({
      paths: { '/internal/scale/{queue}': { get: { responses: { 200: {}, 404: {}, 503: {} } } } },
      components: { schemas: { QueueBacklog: { properties: { backlog_seconds: { type: 'number' } } } } },
    });
    await server.close();
  });

  test('answers 503 while Redis is away, and again when it is back', async () => {
    await using servers = await openPrivateServers();
    const redis = await servers.startRedis();
    await using lonely = await openTestFleet([counting], { kind: 'url', url: redis.url });
    const server = await buildServer(apiOptions(lonely, { queues }));
    await redis.stop();
    const away = await server.inject(url);
    expect(away.statusCode).toBe(503);
    expect(away.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(away.headers['retry-after']).toBe('5');
    await redis.start();
    await until(async () => (await server.inject(url)).statusCode === 200);
    await server.close();
  });
});
