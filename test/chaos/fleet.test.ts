import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import { newContacts, openRunningFleet, type RunningFleet } from '../support/open-running-fleet.ts';
import { until } from '../support/until.ts';

const queue = callTimePrediction.name;

let running: RunningFleet;
beforeAll(async () => {
  running = await openRunningFleet();
});
afterAll(() => running[Symbol.asyncDispose]());
afterEach(() => {
  running.endpoint.recover();
  running.endpoint.setLatency(0);
});

/** Waits for a worker that runs and is none of these. */
async function workerPid(others: ReadonlySet<number> = new Set()): Promise<number> {
  const found = () => running.fleet.describe().pids[queue]?.find((pid) => !others.has(pid));
  await until(() => found() !== undefined);
  const pid = found();
  if (pid === undefined) throw new Error('no worker runs');
  return pid;
}

/** Waits until the endpoint is asked and answers: it may be left alone, for calls that took a busy machine too long. */
async function untilAnswered(): Promise<void> {
  await until(async () => {
    const body: unknown = await (await running.post(newContacts(1), '?wait_ms=30000')).json();
    return JSON.stringify(body).includes('"source":"sagemaker"');
  });
}

async function rowsOf(ids: readonly string[]): Promise<{ rows: number; contacts: number }> {
  const rows = await running.clients.database.db
    .selectFrom('call_time_predictions')
    .select(['job_id', 'contact_id'])
    .where('job_id', 'in', ids)
    .execute();
  return { rows: rows.length, contacts: new Set(rows.map((row) => `${row.job_id} ${row.contact_id}`)).size };
}

test('a worker killed in mid-job, twice running: the job is done once, by another', async () => {
  const { endpoint, submit, settled } = running;
  endpoint.setLatency(1_500);
  let calls = endpoint.requests.length;
  const ids = await submit(1, 40);
  const killed = new Set<number>();
  for (let kill = 0; kill < 2; kill += 1) {
    // Calls that a dead worker did not make: the job is in the hands of this one.
    const callsOfTheDead = calls;
    await until(() => endpoint.requests.length > callsOfTheDead);
    const pid = await workerPid(killed);
    killed.add(pid);
    process.kill(pid, 'SIGKILL');
    await workerPid(killed);
    calls = endpoint.requests.length;
  }
  endpoint.setLatency(0);
  expect(await settled(ids)).toEqual(['completed']);
  expect(killed).not.toContain(await workerPid());
  expect(await rowsOf(ids)).toEqual({ rows: 40, contacts: 40 });
});

test('Redis stopped while requests are accepted, then started: all done', async () => {
  await running.redis.stop();
  const ids = await running.submit(30, 2);
  await running.redis.start();
  expect(new Set(await running.settled(ids))).toEqual(new Set(['completed']));
  expect(await rowsOf(ids)).toEqual({ rows: 60, contacts: 60 });
});

test('FLUSHALL with 500 jobs waiting and some active: all done, none twice, no answer paid again', async () => {
  const { endpoint, submit, settled, clients } = running;
  endpoint.setLatency(100);
  const ids = await submit(500, 2);
  await until(async () => (await clients.ledger.settledAmong(ids)).length > 20);
  await clients.redis.client.flushall();
  expect(new Set(await settled(ids))).toEqual(new Set(['completed']));
  expect(await rowsOf(ids)).toEqual({ rows: 1_000, contacts: 1_000 });
  const rows = await clients.database.db
    .selectFrom('call_time_predictions')
    .select('phone_number')
    .where('job_id', 'in', ids)
    .execute();
  const calls = endpoint.callsByNumber();
  expect(rows.filter((row) => (calls.get(row.phone_number) ?? 0) > 1)).toEqual([]);
});

test('MySQL stopped: 503 with Retry-After and nothing accepted, then fine again', async () => {
  const { mysql, post, submit, settled, endpoint } = running;
  endpoint.setLatency(300);
  const inHand = await submit(20, 3);
  await mysql.stop();
  const refused = await post(newContacts(1));
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('5');
  expect(await refused.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  const api = running.fleet.describe().api;
  expect((await fetch(`${api}/health/ready`)).status).toBe(503);
  expect((await fetch(`${api}/health/live`)).status).toBe(200);
  await mysql.start();
  await until(async () => (await fetch(`${api}/health/ready`)).status === 200);
  const after = await submit(5, 1);
  expect(new Set(await settled([...inHand, ...after]))).toEqual(new Set(['completed']));
  expect(await rowsOf(inHand)).toEqual({ rows: 60, contacts: 60 });
  // The outage spent no attempt.
  const records = await running.clients.ledger.list({ ids: inHand, limit: 20 });
  expect(records.map((record) => record.attempts)).toEqual(inHand.map(() => 1));
});

test('SIGTERM in mid-job: the worker finishes what it has in hand', async () => {
  const { endpoint, submit, settled } = running;
  await untilAnswered();
  endpoint.setLatency(800);
  const callsBefore = endpoint.requests.length;
  const ids = await submit(5, 1);
  await until(() => endpoint.requests.length === callsBefore + 5);
  const pid = await workerPid();
  process.kill(pid, 'SIGTERM');
  expect(new Set(await settled(ids))).toEqual(new Set(['completed']));
  await workerPid(new Set([pid]));
  expect(endpoint.requests.length).toBe(callsBefore + 5);
});

test('the endpoint failing or hanging: default patterns within the deadline, and the circuit opens', async () => {
  const { endpoint, post } = running;
  await untilAnswered();
  endpoint.failNext({ kind: 'hang' }, 3);
  endpoint.failNext({ kind: 'status', status: 500 }, 100);
  const callsBefore = endpoint.requests.length;
  for (let request = 0; request < 12; request += 1) {
    const response = await post(newContacts(1), '?wait_ms=30000');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      predictions: [{ source: 'default', cached: false, optimalCallTime: { confidence: 0.5 } }],
      errors: [],
    });
  }
  // Five, and one more whenever it has been open for a while.
  expect(endpoint.requests.length - callsBefore).toBeGreaterThanOrEqual(5);
  expect(endpoint.requests.length - callsBefore).toBeLessThan(9);
});

test('a worker that is stopped dead (SIGSTOP) is not healthy until it goes on', async () => {
  const [health = ''] = running.fleet.describe().health[queue] ?? [];
  const isHealthy = () =>
    fetch(`${health}/health/ready`, { signal: AbortSignal.timeout(1_000) }).then(
      (response) => response.ok,
      () => false,
    );
  await until(isHealthy);
  const pid = await workerPid();
  process.kill(pid, 'SIGSTOP');
  try {
    await until(async () => !(await isHealthy()));
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await until(isHealthy);
});
