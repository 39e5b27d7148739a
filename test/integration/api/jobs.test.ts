import { once } from 'node:events';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import { createQueueLimit } from '../../../shared/queue/create-queue-limit.ts';
import { apiOptions } from '../../support/api-options.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { busyMachineMs, until } from '../../support/until.ts';

const payload = (id: string) => ({ contacts: [{ id, phoneNumber: '+972501234567' }] });
const result = { predictions: [], errors: [] };

let fleet: TestFleet;
let server: HttpServer;
let stopping: AbortController;
beforeEach(async () => {
  fleet = await openTestFleet([callTimePrediction]);
  stopping = new AbortController();
  server = await buildServer(apiOptions(fleet, { stopping: stopping.signal }));
});
afterEach(async () => {
  stopping.abort();
  await server.close();
  await fleet[Symbol.asyncDispose]();
});

interface Page {
  jobs: { job_id: string; state: string }[];
  next_cursor: string | null;
}

async function list(query: string): Promise<Page> {
  const response = await server.inject(`/v1/jobs?${query}`);
  expect(response.statusCode).toBe(200);
  return response.json<Page>();
}

test('lists by filter, newest first, page by page', async () => {
  const ids: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    ids.unshift((await fleet.enqueue.enqueue(callTimePrediction, payload(`contact-${index}`))).id);
  }
  const first = await list('limit=2');
  expect(first.jobs.map((job) => job.job_id)).toEqual(ids.slice(0, 2));
  const second = await list(`limit=3&cursor=${first.next_cursor}`);
  expect(second.jobs.map((job) => job.job_id)).toEqual(ids.slice(2));
  expect((await list(`limit=3&cursor=${second.next_cursor}`)).jobs).toEqual([]);
  expect((await list('search=contact-3')).jobs.map((job) => job.job_id)).toEqual([ids[1]]);
  expect((await list('search=contact_3')).jobs).toEqual([]);
  const found = await list('search=contact-&limit=4');
  expect(found.jobs.map((job) => job.job_id)).toEqual(ids.slice(0, 4));
  expect((await list(`search=contact-&cursor=${found.next_cursor}`)).jobs.map((job) => job.job_id)).toEqual([
    ids[4],
  ]);
  expect((await list('state=completed')).jobs).toEqual([]);
  expect(
    (await list(`since=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)).jobs,
  ).toEqual([]);
  for (const query of ['state=asleep', 'queue=nonsense', 'limit=0', 'cursor=x', 'since=yesterday']) {
    expect((await server.inject(`/v1/jobs?${query}`)).statusCode).toBe(422);
  }
});

test.each(['\u00e9', 'say "hi"', '\u{1f600}\n', 'back\\slash', '\u0080'])(
  'finds %j by its text',
  async (text) => {
    const { id } = await fleet.enqueue.enqueue(callTimePrediction, payload(`contact ${text}!`));
    const { jobs } = await list(`search=${encodeURIComponent(`contact ${text}!`)}`);
    expect(jobs.map((job) => job.job_id)).toEqual([id]);
    expect((await list(`search=${encodeURIComponent(`${text}?`)}`)).jobs).toEqual([]);
  },
);

test('finds a job by its id', async () => {
  const { id } = await fleet.enqueue.enqueue(callTimePrediction, payload('contact'));
  expect((await list(`search=${id}`)).jobs.map((job) => job.job_id)).toEqual([id]);
});

test('running jobs are told from waiting ones', async () => {
  const release = Promise.withResolvers<typeof result>();
  fleet.consume(callTimePrediction, { start: () => release.promise }, { concurrency: 1 });
  const running = await fleet.enqueue.enqueue(callTimePrediction, payload('a'));
  await until(async () => (await list('state=running')).jobs.length === 1);
  const waiting = await fleet.enqueue.enqueue(callTimePrediction, payload('b'));
  expect((await list('state=running')).jobs).toMatchObject([{ job_id: running.id, state: 'running' }]);
  expect((await list('state=accepted')).jobs).toMatchObject([{ job_id: waiting.id }]);
  release.resolve(result);
});

test('cancels an open job, and refuses what is settled', async () => {
  const job = await fleet.enqueue.enqueue(callTimePrediction, payload('a'), { delayMs: 60_000 });
  const cancel = () => server.inject({ method: 'POST', url: `/v1/jobs/${job.id}/cancel` });
  expect((await cancel()).json()).toMatchObject({ state: 'cancelled' });
  const again = await cancel();
  expect(again.statusCode).toBe(409);
  expect(again.json()).toMatchObject({ code: 'CONFLICT' });
});

test('retries a failed job as a new generation', async () => {
  let refuse = true;
  fleet.consume(callTimePrediction, {
    start() {
      if (refuse) throw new JobError('permanent', 'refused', { code: 'REFUSED' });
      return Promise.resolve(result);
    },
  });
  const job = await fleet.enqueue.enqueue(callTimePrediction, payload('a'), { replyTo: fleet.results.name });
  expect(await fleet.results.wait(job.id, busyMachineMs)).toMatchObject({ state: 'failed' });
  refuse = false;
  const retry = () => server.inject({ method: 'POST', url: `/v1/jobs/${job.id}/retry` });
  expect((await retry()).statusCode).toBe(200);
  expect(await fleet.results.wait(job.id, busyMachineMs)).toMatchObject({
    state: 'completed',
    generation: 2,
  });
  expect((await retry()).statusCode).toBe(409);
});

test('streams a job until it is settled', async () => {
  const release = Promise.withResolvers<typeof result>();
  const job = await fleet.enqueue.enqueue(callTimePrediction, payload('a'));
  const url = await server.listen({ port: 0 });
  const response = await fetch(`${url}/v1/jobs/${job.id}/events`);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  fleet.consume(callTimePrediction, { start: () => release.promise });
  await until(async () => (await list('state=running')).jobs.length === 1);
  setTimeout(() => release.resolve(result), 700);
  const text = await response.text();
  const states = [...text.matchAll(/"state":"(\w+)"/g)].map((match) => match[1]);
  expect(states[0]).toBe('accepted');
  expect(states.at(-1)).toBe('completed');
  expect((await fetch(`${url}/v1/jobs/none/events`)).status).toBe(404);
});

test('a stream ends when the server stops', async () => {
  const job = await fleet.enqueue.enqueue(callTimePrediction, payload('a'));
  const url = await server.listen({ port: 0 });
  const response = await fetch(`${url}/v1/jobs/${job.id}/events`);
  const ended = response.text();
  stopping.abort();
  expect(await ended).toContain('"state":"accepted"');
});

test('a full queue takes nothing in', async () => {
  await using full = await buildServer(apiOptions(fleet, { queueLimit: createQueueLimit(fleet.ledger, 3) }));
  const submit = () => full.inject({ method: 'POST', url: '/v1/call-times', payload: payload('a') });
  for (let index = 0; index < 3; index += 1) {
    await fleet.enqueue.enqueue(callTimePrediction, payload('a'), { delayMs: 60_000 });
  }
  const refused = await submit();
  expect(refused.statusCode).toBe(429);
  expect(refused.json()).toMatchObject({ code: 'QUEUE_FULL' });
  expect(refused.headers['retry-after']).toBe('5');
  expect(await fleet.ledger.list({ limit: 10 })).toHaveLength(3);
});

test('nothing is left of the server', async () => {
  const url = await server.listen({ port: 0 });
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  const closed = once(server.server, 'close');
  await server.close();
  await closed;
});
