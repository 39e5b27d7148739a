import { z } from 'zod';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import { defineQueue } from '../../../shared/contracts/define-queue.ts';
import { openDashboard, type TestDashboard } from '../../support/open-dashboard.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { until } from '../../support/until.ts';

const other = defineQueue({
  name: 'other-queue',
  payload: z.object({}),
  result: z.object({}),
  attempts: 1,
  deadlineMs: 1_000,
  lane: 'interactive',
});
const contracts = [callTimePrediction, other];

let fleet: TestFleet;
let dashboard: TestDashboard;
beforeAll(async () => {
  fleet = await openTestFleet(contracts);
  dashboard = await openDashboard(fleet, contracts);
});
afterAll(async () => {
  await dashboard[Symbol.asyncDispose]();
  await fleet[Symbol.asyncDispose]();
});

const boardSchema = z.object({
  queues: z.array(
    z.object({
      name: z.string(),
      readOnlyMode: z.boolean(),
      allowRetries: z.boolean(),
      counts: z.record(z.string(), z.number()),
      jobs: z.array(z.object({ id: z.string(), externalUrl: z.object({ href: z.string() }) })),
    }),
  ),
});

async function readBoard(activeQueue = '') {
  const url = `/queues/api/queues?activeQueue=${activeQueue}&jobsPerPage=10&page=1`;
  return boardSchema.parse((await dashboard.server.inject(url)).json()).queues;
}
const submit = () => fleet.enqueue.enqueue(other, {});

test('shows every queue with its counts as they are, for looking only', async () => {
  const before = await readBoard();
  expect(before.map(({ name }) => name).sort()).toEqual(['call-time-prediction', 'other-queue']);
  for (const queue of before) expect(queue).toMatchObject({ readOnlyMode: true, allowRetries: false });
  const waiting = async () => (await readBoard()).find(({ name }) => name === other.name)?.counts['waiting'];
  expect(await waiting()).toBe(0);
  await Promise.all([submit(), submit(), submit()]);
  expect(await waiting()).toBe(3);
});

test('each job leads to its ledger entry, also as a later generation', async () => {
  const { id } = await submit();
  const consumer = fleet.consume(other, { start: () => Promise.reject(new Error('no')) });
  await until(async () => (await fleet.ledger.read(id))?.state === 'failed');
  await consumer[Symbol.asyncDispose]();
  expect(await fleet.ledger.reopen(id)).toBe(true);
  const record = await fleet.ledger.read(id);
  if (record) await fleet.dispatcher.dispatch([{ ...record, payload: null }]);
  const jobs = (await readBoard(other.name)).flatMap((queue) => queue.jobs);
  const ofJob = jobs.filter((job) => job.id.startsWith(id));
  expect(ofJob.map((job) => job.id).sort()).toEqual([id, `${id}.2`]);
  for (const job of ofJob) expect(job.externalUrl.href).toBe(`/jobs/${id}`);
});

test.each([
  ['PUT', 'pause'],
  ['PUT', 'other-queue/pause'],
  ['PUT', 'other-queue/resume'],
  ['PUT', 'other-queue/retry/failed'],
  ['PUT', 'other-queue/promote'],
  ['PUT', 'other-queue/clean/waiting'],
  ['PUT', 'other-queue/empty'],
  ['PUT', 'other-queue/obliterate'],
  ['PUT', 'other-queue/concurrency'],
  ['PUT', 'other-queue/some-job/clean'],
  ['PATCH', 'other-queue/some-job/update-data'],
  ['POST', 'other-queue/add'],
] as const)('%s %s is refused', async (method, path) => {
  const depth = await fleet.dispatcher.depth(other.name);
  const response = await dashboard.server.inject({ method, url: `/queues/api/queues/${path}`, payload: {} });
  expect(response.statusCode).toBe(405);
  expect(await fleet.dispatcher.depth(other.name)).toEqual(depth);
  expect(await fleet.dispatcher.isPaused(other.name)).toBe(false);
});

test('looking writes nothing into Redis', async () => {
  const metaKey = `${fleet.keys.prefix(callTimePrediction.name)}:${callTimePrediction.name}:meta`;
  await fleet.redis.client.hset(metaKey, 'opts.maxLenEvents', '777');
  await using second = await openDashboard(fleet, contracts);
  await second.server.inject('/queues/api/queues?jobsPerPage=10&page=1');
  expect(await fleet.redis.client.hget(metaKey, 'opts.maxLenEvents')).toBe('777');
});

test('the page brings its own scripts, may not be framed, and tells no credentials', async () => {
  const page = await dashboard.server.inject('/queues');
  expect(page.headers['content-security-policy']).toContain("script-src 'self';");
  expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  const scripts = [...page.body.matchAll(/<script[^>]* src="([^"]+)"/g)].map((match) => match[1]);
  expect(scripts.length).toBeGreaterThan(0);
  for (const script of scripts)
    expect((await dashboard.server.inject(`/queues/${script ?? ''}`)).statusCode).toBe(200);
  const password = new URL(process.env['TEST_REDIS_URL'] ?? '').password;
  expect(password).not.toBe('');
  const bodies = await Promise.all(
    [
      '/queues',
      '/queues/api/queues',
      '/queues/api/redis/stats',
      '/queues/api/queues/other-queue/workers',
    ].map(async (url) => (await dashboard.server.inject(url)).body),
  );
  for (const body of bodies) expect(body).not.toContain(password);
});
