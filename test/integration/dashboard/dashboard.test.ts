import { setTimeout as delay } from 'node:timers/promises';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import { openDashboard, type TestDashboard } from '../../support/open-dashboard.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { until } from '../../support/until.ts';

const answer = { predictions: [], errors: [] };
const unknownId = '018f0000-0000-7000-8000-000000000000';

let servers: PrivateServers;
let redis: EmbeddedServer;
let fleet: TestFleet;
let dashboard: TestDashboard;

beforeAll(async () => {
  servers = await openPrivateServers();
  redis = await servers.startRedis();
});
afterAll(() => servers[Symbol.asyncDispose]());
beforeEach(async () => {
  fleet = await openTestFleet([callTimePrediction], { kind: 'url', url: redis.url });
  dashboard = await openDashboard(fleet, [callTimePrediction]);
});
afterEach(async () => {
  await dashboard[Symbol.asyncDispose]();
  await fleet[Symbol.asyncDispose]();
});

const get = (url: string) => dashboard.server.inject({ url, headers: { accept: 'text/html' } });
const post = (url: string) =>
  dashboard.server.inject({ method: 'POST', url, headers: { accept: 'text/html' } });
async function submit(contactId: string): Promise<string> {
  const payload = { contacts: [{ id: contactId, phoneNumber: '+972501234567' }] };
  return (await fleet.enqueue.enqueue(callTimePrediction, payload)).id;
}
const stateOf = async (id: string) => (await fleet.ledger.read(id))?.state;

async function submitFailing(contactId: string, message = 'The model is gone'): Promise<string> {
  const id = await submit(contactId);
  const consumer = fleet.consume(callTimePrediction, {
    start() {
      throw new JobError('permanent', message, { code: 'GONE' });
    },
  });
  await until(async () => (await stateOf(id)) === 'failed');
  await consumer[Symbol.asyncDispose]();
  return id;
}

test('the list finds a job by a contact id', async () => {
  const id = await submit('contact-to-be-found');
  await submit('another');
  const everything = await get('/jobs');
  expect(everything.statusCode).toBe(200);
  expect(everything.body.match(/href="\/jobs\/[0-9a-f-]{36}"/g)).toHaveLength(2);
  const found = await get('/jobs?search=contact-to-be-found&queue=&state=');
  expect(found.body).toContain(`href="/jobs/${id}"`);
  expect(found.body.match(/href="\/jobs\/[0-9a-f-]{36}"/g)).toHaveLength(1);
  expect(found.body).toMatch(/1 job\s+found/);
  expect((await get('/jobs?search=nobody')).body).toMatch(/0 jobs\s+found/);
});

test('a job id in the search leads to the job', async () => {
  const id = await submit('a');
  const response = await get(`/jobs?search=${id}`);
  expect([response.statusCode, response.headers['location']]).toEqual([303, `/jobs/${id}`]);
  expect((await get(`/jobs?search=${unknownId}`)).statusCode).toBe(200);
});

test('the list is filtered, and goes on where a page ends', async () => {
  const ids: string[] = [];
  for (let job = 0; job < 60; job += 1) ids.push(await submit(`contact-${job}`));
  const first = await get('/jobs?state=open&queue=call-time-prediction');
  const next = /rel="next" href="([^"]+)"/.exec(first.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const second = await get(next);
  const listed = [first, second].flatMap(({ body }) => [...body.matchAll(/href="\/jobs\/([0-9a-f-]{36})"/g)]);
  expect(listed.map((match) => match[1])).toEqual(ids.toReversed());
  expect(second.body).not.toContain('rel="next"');
  expect((await get('/jobs?state=failed')).body).toContain('No job.');
});

test.each(['state=nonsense', 'before=nonsense', 'queue=a&queue=b', `search=${'x'.repeat(257)}`])(
  'a list with %s is refused',
  async (query) => {
    expect((await get(`/jobs?${query}`)).statusCode).toBe(400);
  },
);

test('a job shows its state, attempts, error, timings, payload and result', async () => {
  const failed = await get(`/jobs/${await submitFailing('a')}`);
  for (const text of ['failed', 'GONE', 'The model is gone', 'Attempts', 'Accepted', 'Waited', 'Ran', 'Took'])
    expect(failed.body).toContain(text);
  expect(failed.body).toMatch(/<details>\s*<summary>Payload/);
  expect(failed.body).not.toContain('<details open');

  const id = await submit('b');
  fleet.consume(callTimePrediction, { start: () => delay(20, answer) });
  await until(async () => (await stateOf(id)) === 'completed');
  const completed = await get(`/jobs/${id}`);
  expect(completed.body).toMatch(/<summary>Result/);
  expect(completed.body).not.toContain('<button');
});

test('parent and children lead to each other', async () => {
  const parent = await submit('parent');
  const children = [{ queue: callTimePrediction.name, payload: '{"contacts":[]}', priority: 10 }];
  await fleet.ledger.fanOut({ id: parent, generation: 1 }, children);
  const page = await get(`/jobs/${parent}`);
  expect(page.body).toContain('0 of 1 done');
  const list = await get(`/jobs?parent=${parent}`);
  const child = [...list.body.matchAll(/href="\/jobs\/([0-9a-f-]{36})"/g)].map((match) => match[1]);
  expect(child).toHaveLength(2); // the parent above the list, the child in it
  expect((await get(`/jobs/${child[1] ?? ''}`)).body).toContain(`href="/jobs/${parent}"`);
});

test('a failed job is retried and done again', async () => {
  const id = await submitFailing('a');
  const response = await post(`/jobs/${id}/retry`);
  expect([response.statusCode, response.headers['location']]).toEqual([303, `/jobs/${id}`]);
  fleet.consume(callTimePrediction, { start: () => Promise.resolve(answer) });
  await until(async () => (await stateOf(id)) === 'completed');
  const again = await post(`/jobs/${id}/retry`);
  expect(again.statusCode).toBe(409);
  expect(again.body).toContain('only failed and cancelled jobs are retried');
});

test('an open job is cancelled, also when a worker has it in hand', async () => {
  const aborted = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  fleet.consume(callTimePrediction, {
    async start(_payload, { signal }) {
      signal.addEventListener('abort', () => aborted.resolve());
      started.resolve();
      await aborted.promise;
      return answer;
    },
  });
  const id = await submit('a');
  await started.promise;
  expect((await get(`/jobs/${id}`)).body).toMatch(/class="state running"/);
  expect((await post(`/jobs/${id}/cancel`)).statusCode).toBe(303);
  await aborted.promise;
  expect(await stateOf(id)).toBe('cancelled');
  expect((await post(`/jobs/${id}/cancel`)).statusCode).toBe(409);
  const page = await get(`/jobs/${id}`);
  expect(page.body).toContain(`action="/jobs/${id}/retry"`);
});

test.each([
  ['GET', `/jobs/${unknownId}`],
  ['GET', '/jobs/not-an-id'],
  ['POST', `/jobs/${unknownId}/retry`],
  ['POST', `/jobs/${unknownId}/cancel`],
  ['GET', `/jobs/${unknownId}/retry`],
  ['POST', '/jobs'],
  ['GET', '/nothing'],
] as const)('%s %s: there is no such thing', async (method, url) => {
  const response = await dashboard.server.inject({ method, url, headers: { accept: 'text/html' } });
  expect(response.statusCode).toBe(404);
  expect(response.headers['content-type']).toContain('text/html');
  expect((await dashboard.server.inject({ method, url })).json()).toMatchObject({
    error: expect.any(String),
  });
});

test('what others wrote is text, never HTML', async () => {
  const hostile = `</pre></details><script>alert(1)</script><img src=x onerror="alert(2)"> ' " &lt;`;
  const id = await submitFailing(hostile, hostile);
  await fleet.database.db
    .updateTable('jobs')
    .set({ queue: '"><script>alert(3)</script>', request_id: '<script>alert(4)</script>' })
    .where('id', '=', id)
    .execute();
  const pages = [
    await get(`/jobs/${id}`),
    await get('/jobs'),
    await get(`/jobs?search=${encodeURIComponent(hostile)}`),
    await get(`/jobs?queue=${encodeURIComponent('"><script>alert(5)</script>')}`),
    await get(`/jobs/${encodeURIComponent(hostile)}`),
    await get('/nothing/<script>alert(6)</script>'),
  ];
  for (const { body, headers } of pages) {
    expect(body).not.toMatch(/<script|<img|onerror="/);
    expect(headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(headers['content-security-policy']).not.toMatch(/script-src|unsafe/);
    expect(headers['cache-control']).toBe('no-store');
  }
  // It is there all the same, and can be searched for.
  expect(pages[0]?.body).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(pages[2]?.body).toContain(`href="/jobs/${id}"`);
});

test('only the beginning of a large payload is shown', async () => {
  const payload = {
    contacts: [{ id: 'a', phoneNumber: '+972501234567', metadata: { note: 'x'.repeat(200_000) } }],
  };
  const { id } = await fleet.enqueue.enqueue(callTimePrediction, payload);
  const page = await get(`/jobs/${id}`);
  expect(page.body.length).toBeLessThan(100_000);
  expect(page.body).toContain('presage jobs show');
});

test('pages, health and metrics', async () => {
  expect((await get('/')).headers['location']).toBe('/queues');
  expect((await get('/ledger.css')).headers['content-type']).toContain('text/css');
  expect((await get('/health/ready')).json()).toEqual({ status: 'ok', checks: { mysql: 'ok' } });
  await get('/jobs');
  expect((await get('/metrics')).body).toContain(
    'presage_http_request_seconds_count{route="/jobs",status="200"} 1',
  );
});

test('the ledger is shown without Redis', async () => {
  const id = await submit('a');
  await redis.stop();
  try {
    expect((await get('/jobs')).body).toContain(id);
    expect((await get(`/jobs/${id}`)).statusCode).toBe(200);
    const board = await get('/queues/api/queues?jobsPerPage=10&page=1');
    expect(board.statusCode).toBeGreaterThanOrEqual(500);
    expect(board.body).not.toMatch(/\bat .*\.[jt]s|ECONN|127\.0\.0\.1/);
    expect((await post(`/jobs/${id}/cancel`)).statusCode).toBe(303);
    expect((await post(`/jobs/${id}/retry`)).statusCode).toBe(303);
    expect(await stateOf(id)).toBe('accepted');
  } finally {
    await redis.start();
  }
});
