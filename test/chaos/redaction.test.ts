import { createHash } from 'node:crypto';
import { z } from 'zod';
import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import type { EndpointFault } from '../../shared/emulators/sagemaker-server.ts';
import { toDispatchable } from '../../shared/ledger/dispatchable-job.ts';
import { predictionCacheKey } from '../../shared/prediction-cache/prediction-cache-key.ts';
import { openRunningFleet, type RunningFleet } from '../support/open-running-fleet.ts';
import { openTextCollector, type TextCollector } from '../support/open-text-collector.ts';
import { readLogLines } from '../support/read-log-lines.ts';
import { runPresage } from '../support/run-presage.ts';
import { sendRaw } from '../support/send-raw.ts';
import { busyMachineMs, until } from '../support/until.ts';

const queue = callTimePrediction.name;

// What must not be found. Phone numbers without their plus sign, which a URL would write as %2B.
const name = 'Xanthippe-Quuxworth';
const note = 'owes-us-a-zebra-4711';
const contactId = 'customer-kumquat-0815';
const wrongNumber = '0049-rhubarb-31459';
const key = 'key-of-the-operator-wombat';
const unknownKey = 'key-that-nobody-knows-ocelot';
const idempotencyKey = 'idem-marmoset-1';
const secretAccessKey = 'aws-secret-platypus';
const numbers: string[] = [];

function newNumber(): string {
  const number = `97254${String(7_310_000 + numbers.length)}`;
  numbers.push(number);
  return `+${number}`;
}

function newContact(more: Record<string, unknown> = {}) {
  return {
    id: contactId,
    phoneNumber: newNumber(),
    timezone: 'Asia/Jerusalem',
    metadata: { name, note: `${note}\n    at ${name}`, [name]: note },
    ...more,
  };
}

let running: RunningFleet;
let collector: TextCollector;
beforeAll(async () => {
  collector = await openTextCollector();
  const sha256 = createHash('sha256').update(key).digest('hex');
  running = await openRunningFleet({
    environment: {
      LOG_LEVEL: 'trace',
      PRESAGE_API_KEYS: `operator:produce+read+operate:${sha256}`,
      AWS_ACCESS_KEY_ID: 'aws-key-id',
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    },
  });
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
});

/** What was answered to requests that were not fulfilled. */
const problems: string[] = [];

interface Call {
  method?: string;
  body?: string;
  headers?: Record<string, string>;
}

async function request(path: string, { headers, ...init }: Call = {}) {
  const { api } = running.fleet.describe();
  const response = await fetch(`${api}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
  });
  const body = await response.text();
  if (!response.ok) problems.push(body);
  const parsed: unknown = response.ok ? JSON.parse(body) : body;
  return { status: response.status, body: parsed };
}

function post(contacts: unknown, headers: Record<string, string> = {}, waitMs = 20_000) {
  const init = { method: 'POST', body: JSON.stringify({ contacts }), headers };
  return request(`/v1/call-times?wait_ms=${waitMs}`, init);
}

/** Has a prediction made, and answers where it comes from. */
async function predict(contacts: readonly unknown[]): Promise<string | undefined> {
  const { status, body } = await post(contacts);
  expect(status).toBe(200);
  return callTimePrediction.result.parse(body).predictions[0]?.source;
}

async function accepted(contacts: unknown): Promise<string> {
  const { body } = await post(contacts, {}, 0);
  return z.object({ job_id: z.string() }).parse(body).job_id;
}

const logLines = () => readLogLines(running.logDirectory);
const isLogged = (part: string) => logLines().some((line) => line.includes(part));

test('successes, cache hits, contacts with errors', async () => {
  const contacts = [newContact(), newContact(), newContact({ phoneNumber: wrongNumber })];
  await predict(contacts);
  await predict(contacts);
  await predict([newContact({ timezone: `Europe/${name}` }), newContact({ id: `${contactId}\ud800` })]);
  const { client } = running.clients.redis;
  const contact = newContact();
  await client.set(predictionCacheKey(contact.phoneNumber), `{"${name}`);
  await predict([contact]);
  const wait = ['--wait', String(busyMachineMs)];
  const run = await runPresage(
    ['enqueue', queue, '--json', JSON.stringify({ contacts: [newContact()] }), ...wait],
    running.fleet.environment,
  );
  expect(run).toMatchObject({ exitCode: 0, messages: '' });
});

test('an endpoint that fails in every way', async () => {
  const faults: EndpointFault[] = [
    { kind: 'quoting' },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 429, retryAfterSeconds: 1 },
    { kind: 'model-error' },
    { kind: 'reset' },
    { kind: 'truncated' },
    { kind: 'cut-off' },
    { kind: 'schema-breaking' },
    { kind: 'empty' },
    { kind: 'oversized' },
    { kind: 'hang' },
  ];
  for (const fault of faults) {
    running.endpoint.failNext(fault);
    await predict([newContact()]);
    await predict([newContact()]); // so that the circuit stays closed
  }
  running.endpoint.failNext({ kind: 'quoting' }, 20);
  for (let failure = 0; failure < 7; failure += 1) await predict([newContact()]);
  running.endpoint.recover();
  await until(() => isLogged('its circuit is open'));
  const closed = async () => (await predict([newContact()])) === 'sagemaker';
  await until(closed, { everyMs: 500 });
});

test('requests that are refused', async () => {
  const number = newNumber();
  const encoded = encodeURIComponent(newNumber());
  const body = `{"contacts":[{"id":"${contactId}","phoneNumber":"${number}"`;
  const bodies: [string, Record<string, string>][] = [
    [body, {}],
    [`${name}\n    at ${number}`, {}],
    [JSON.stringify({ contacts: number }), {}],
    [JSON.stringify({ contacts: [{ id: { [name]: number }, phoneNumber: [number], metadata: name }] }), {}],
    [JSON.stringify({ [name]: [newContact()] }), {}],
    [`${body}}]}`, { 'content-type': `text/${name}` }],
    [`${body}}]}`, { 'content-type': `application/json; charset=${name}` }],
    [`${body}}]}`, { 'idempotency-key': name.repeat(30) }],
    [`${body}}]}`, { authorization: `Bearer ${unknownKey}` }],
    [`${body}}]}`, { authorization: `Basic ${Buffer.from(`x:${key}`).toString('base64')}` }],
    [`${body}}]}`, { origin: `https://${name}.example` }],
  ];
  for (const [content, headers] of bodies) {
    const { status } = await request('/v1/call-times', { method: 'POST', body: content, headers });
    expect([202, 400, 401, 403, 415, 422]).toContain(status);
  }
  const paths = [
    `/v1/call-times/${name}`,
    `/v1/call-times/${encoded}`,
    `/v1/jobs/${encoded}`,
    `/v1/jobs?cursor=${encoded}&search=${name}`,
    `/v1/jobs?queue=${name}&state=${encoded}&since=${name}`,
    `/v1/call-times?wait_ms=${encoded}`,
    `/nowhere/${encoded}?for=${name}`,
    `/v1/jobs/%zz${newNumber()}`,
    `/v1/jobs/${newNumber().repeat(10)}`,
  ];
  for (const path of paths) expect((await request(path)).status).toBeGreaterThanOrEqual(400);
  expect((await request(`/v1/jobs?search=${name}`)).status).toBe(200);

  const headers = {
    'x-request-id': number,
    traceparent: `00-${name}`,
    tracestate: `${name}=1`,
    'user-agent': name,
    'idempotency-key': idempotencyKey,
  };
  const contact = newContact();
  expect((await post([contact], headers)).status).toBe(200);
  expect((await post([contact], headers)).status).toBe(200);
  expect((await post([newContact()], headers)).status).toBe(422);

  const { api, dashboard } = running.fleet.describe();
  for (const bytes of [
    `GET /${number} HTTP/1.1\r\n${name} without colon\r\n\r\n`,
    `GET /v1/jobs HTTP/1.1\r\nhost: x\r\nx-filler: ${name.repeat(2_000)}\r\n\r\n`,
    `${number} ${name}`,
  ]) {
    problems.push(await sendRaw(api, bytes));
  }
  for (const secret of [key, unknownKey]) {
    for (const path of [`/jobs?search=${name}`, `/jobs/${encoded}`, '/queues', `/queues/queue/${name}`]) {
      const authorization = `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
      const response = await fetch(`${dashboard}${path}`, { headers: { authorization } });
      expect(response.status === 401).toBe(secret === unknownKey);
      await response.text();
    }
    problems.push(await (await fetch(`${dashboard}/jobs/%zz${encoded}`)).text());
  }
});

test('jobs that fail, garbage in Redis', async () => {
  const { redis, keys, ledger, dispatcher } = running.clients;
  const prefix = `${keys.prefix(queue)}:${queue}`;
  const garbage = [
    `{"${name}\n    at ${name} (${newNumber()}:1:2)`,
    JSON.stringify({ contacts: [newContact()] }),
    JSON.stringify(newNumber()),
  ];
  for (const [index, data] of garbage.entries()) {
    const job = { name, data, opts: '{}', timestamp: '1' };
    await redis.client.hset(`${prefix}:${contactId}-${index}`, job);
    await redis.client.lpush(`${prefix}:wait`, `${contactId}-${index}`);
  }
  // Accepted by a version of the fleet that knew another contract.
  const older = await ledger.accept({
    queue,
    payload: JSON.stringify({ contacts: [{ [name]: newNumber() }], note }),
    priority: 0,
  });
  await dispatcher.dispatch([toDispatchable(older.row)]);
  expect(await running.settled([older.id])).toEqual(['failed']);
  await until(async () => {
    const failed = await ledger.list({ states: ['failed'], limit: 100 });
    return failed.filter(({ error }) => error?.code === 'NOT_A_JOB').length === garbage.length;
  });
  for (const action of ['retry', 'cancel']) {
    await request(`/v1/jobs/${older.id}/${action}`, { method: 'POST', body: '{}' });
  }
  await until(async () => (await ledger.read(older.id))?.state !== 'accepted');
});

test('stores that stop, a worker that is killed', async () => {
  const { redis, mysql, endpoint, fleet } = running;
  // So that jobs end without MySQL, which ends at once.
  endpoint.failNext({ kind: 'hang' }, 3);
  const inHand = [await accepted([newContact()]), await accepted([newContact(), newContact()])];
  await mysql.kill();
  await until(() => isLogged('given back: our own store is away'));
  endpoint.setLatency(1_000);
  expect((await post([newContact()])).status).toBe(503);
  expect((await request(`/v1/jobs?search=${name}`)).status).toBe(503);
  await mysql.start();
  await redis.stop();
  // MySQL may have to be found again by the API's pool.
  await until(async () => (await request('/v1/jobs')).status === 200);
  inHand.push(await accepted([newContact()]));
  await redis.start();
  const contact = newContact();
  const killed = await accepted([contact]);
  await until(() => endpoint.callsByNumber().has(contact.phoneNumber));
  const [pid = 0] = fleet.describe().pids[queue] ?? [];
  process.kill(pid, 'SIGKILL');
  endpoint.setLatency(0);
  expect(new Set(await running.settled([...inHand, killed]))).toEqual(new Set(['completed']));
  process.kill(fleet.describe().pids[queue]?.[0] ?? 0, 'SIGTERM');
  await until(() => isLogged('"msg":"stopped"')); // what a process says when it stops counts too
});

test('nothing of it is in any log line, problem or trace', async () => {
  const lines = logLines();
  for (const process of ['api', 'cron', 'relay', 'dashboard', queue]) {
    expect(lines.filter((line) => line.startsWith(`${process}-1.log`)).length).toBeGreaterThan(0);
  }
  // What was provoked has happened, and was written down.
  const expected = [
    '"level":"debug"',
    'no answer from the endpoint',
    'not a job of this fleet',
    'job failed',
    'given back: our own store is away',
    'Redis is away',
    '"route":"/v1/call-times","status":422',
  ];
  expect(expected.filter((part) => !lines.some((line) => line.includes(part)))).toEqual([]);
  await until(() => collector.received().includes('/v1/call-times'));
  expect(problems.length).toBeGreaterThan(25); // of 30 or so

  const passwords = [running.redis.url, running.mysql.url].map((url) => new URL(url).password);
  const secrets = [key, unknownKey, secretAccessKey, idempotencyKey, ...passwords];
  const encodedKeys = [key, unknownKey].flatMap((secret) =>
    ['', `${name}:`, 'x:'].map((user) => Buffer.from(`${user}${secret}`).toString('base64')),
  );
  const forbidden = [name, note, contactId, wrongNumber, ...numbers, ...secrets, ...encodedKeys];
  const places = [...lines, ...problems.map((body) => `problem: ${body}`), `traces: ${collector.received()}`];
  const found = places.filter((place) => forbidden.some((word) => place.includes(word)));
  expect(found.map((place) => place.slice(0, 2_000))).toEqual([]);
});
