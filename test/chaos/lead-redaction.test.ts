import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { leadScoring } from '../../shared/contracts/lead-scoring.ts';
import { leadScoreCacheKey } from '../../shared/leads/lead-score-cache-key.ts';
import { writeLeads } from '../../shared/leads/write-leads.ts';
import { openRunningFleet, type RunningFleet } from '../support/open-running-fleet.ts';
import { openTestBundles, type TestBundles } from '../support/open-test-bundles.ts';
import { openTextCollector, type TextCollector } from '../support/open-text-collector.ts';
import { readLogLines } from '../support/read-log-lines.ts';
import { runPresage } from '../support/run-presage.ts';
import { sampleLeads } from '../support/sample-leads.ts';
import { sendRaw } from '../support/send-raw.ts';
import { busyMachineMs, until } from '../support/until.ts';

const queue = leadScoring.name;

// What must not be found. Every id of a lead holds the first.
const idWord = 'rambutan-4711';
const name = 'Xanthippe-Quuxworth';
const job = 'keeper-of-zebras';
const age = '86420.1357';
const idempotencyKey = `score-of-${idWord}`;

let ids = 0;
const newId = () => `${(ids += 1)}.${idWord}@example.org`;

let running: RunningFleet;
let collector: TextCollector;
let bundles: TestBundles;
let folder: string;
beforeAll(async () => {
  bundles = await openTestBundles();
  folder = await mkdtemp(path.join(tmpdir(), 'presage-leads-'));
  collector = await openTextCollector();
  running = await openRunningFleet({
    environment: { LOG_LEVEL: 'trace', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
  });
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
  await bundles[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const logLines = () => readLogLines(running.logDirectory);
const isLogged = (part: string) => logLines().some((line) => line.includes(part));
const database = () => running.clients.database.db;

/** What was answered to requests that were not fulfilled. */
const problems: string[] = [];
/** What processes tell of themselves. */
const metrics: string[] = [];
/** What commands wrote beside their results. */
const messages: string[] = [];

async function request(route: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${running.fleet.describe().api}${route}`, {
    ...(body === undefined
      ? {}
      : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  });
  const text = await response.text();
  if (!response.ok) problems.push(text);
  return { status: response.status, text };
}

async function collectMetrics(): Promise<void> {
  for (const urls of Object.values(running.fleet.describe().health)) {
    for (const url of urls) metrics.push(await (await fetch(`${url}/metrics`)).text());
  }
}

async function presage(...argv: string[]): Promise<string> {
  const run = await runPresage(argv, running.fleet.environment);
  messages.push(run.messages);
  expect(run.exitCode).toBe(0);
  return run.output;
}

/** Writes leads as another system does. Their ids. */
async function newLeads(features: readonly unknown[]): Promise<string[]> {
  const leads = features.map((each) => ({
    lead_id: newId(),
    features: typeof each === 'string' ? each : JSON.stringify(each),
    updated_at: new Date(),
  }));
  await writeLeads(database(), leads);
  return leads.map(({ lead_id }) => lead_id);
}

const strange = [
  { age, job, name, [name]: job },
  { age: { [name]: age }, job: [job] },
  {},
  `{"${name}\n    at ${job} (${idWord}:1:2)`,
  `["${name}"]`,
];

const predictPath = '/ai/advanced-ml/predict-batch';
const jobIdOf = (text: string) => z.object({ job_id: z.string() }).parse(JSON.parse(text)).job_id;

test('leads that are imported, well and badly', async () => {
  const file = path.join(folder, 'leads.csv');
  const lines = [
    `lead_id,age,job,${name}`,
    `${newId()},41,student,${name}`,
    `${newId()},${age},${job},${name}`,
    `${newId()},41`,
    ` ${'x'.repeat(200)}${idWord},41,student,${name}`,
    `${newId()},41,"student`,
  ];
  await writeFile(file, lines.join('\n'));
  const run = await runPresage(['leads', 'import', file], running.fleet.environment);
  // The column is named to whoever wrote it; a value never is.
  messages.push(run.messages.replaceAll(`"${name}"`, ''), run.output.replaceAll(`"${name}"`, ''));
  const known = await database().selectFrom('leads').select('lead_id').execute();
  expect(known).toHaveLength(2);
});

test('leads that are scored, rejected and compared; twice, in bulk, and with what the cache has of them', async () => {
  const sound = await newLeads((await sampleLeads()).map(({ features }) => features));
  const leadIds = [...sound, ...(await newLeads(strange)), newId(), ` ${newId()}`, `\u0000${newId()}`];
  const scored = await request(predictPath, leadIds);
  expect(scored.status).toBe(200);
  expect(scored.text).toContain('FEATURE_REJECTED');
  await running.clients.redis.client.set(leadScoreCacheKey(sound[0] ?? ''), `{"${name}`);
  expect((await request(predictPath, { lead_ids: leadIds })).status).toBe(200);
  expect((await request('/ai/advanced-ml-legacy/predict-batch', leadIds)).status).toBe(200);

  // A version that rejects leads of no age, and a challenger beside it.
  const change: Parameters<TestBundles['add']>[1] = {
    change: (manifest) => ({
      ...manifest,
      feature_columns: manifest.feature_columns.map((column) =>
        column.name === 'age' ? { ...column, missing: { strategy: 'reject' as const } } : column,
      ),
    }),
  };
  for (const [version, options] of [
    ['2.0.0', change],
    ['3.0.0', { intercept: 1 }],
  ] as const) {
    const added = await bundles.add(version, options);
    await presage('models', 'register', path.dirname(bundles.pathOf(added, 'manifest.json')));
  }
  await presage('models', 'promote', 'lead-conversion', '2.0.0');
  await presage('models', 'shadow', 'lead-conversion', '3.0.0');
  await until(() => isLogged('"version":"3.0.0"') && isLogged('"version":"2.0.0"'));
  const lines = leadIds.map((leadId) => JSON.stringify({ lead_id: leadId })).join('\n');
  const bulk = await request('/v1/lead-scores', lines, { 'content-type': 'application/x-ndjson' });
  expect(bulk.status).toBe(202);
  expect(await running.settled([jobIdOf(bulk.text)])).toEqual(['completed']);
  expect((await request(`/v1/lead-scores/${jobIdOf(bulk.text)}`)).text).toContain('no usable value of age');
  await presage(
    'enqueue',
    queue,
    '--json',
    JSON.stringify(leadIds),
    '--wait',
    String(busyMachineMs),
    '--idempotency-key',
    idempotencyKey,
  );
  await until(async () => {
    const rows = await database().selectFrom('lead_shadow_scores').select('lead_id').execute();
    return rows.length >= 2 * sound.length;
  });
  expect(await presage('models', 'shadow-report', 'lead-conversion')).toContain('3.0.0 beside 2.0.0');
});

test('requests that are refused, outcomes, jobs that fail, a lead that is forgotten', async () => {
  const [leadId = ''] = await newLeads([{ age, job }]);
  const tooMany = Array.from({ length: 2_001 }, (_, index) => `${index}-${idWord}`);
  const bodies = [
    `["${leadId}"`,
    { lead_ids: leadId },
    [leadId, { [leadId]: name }],
    [],
    tooMany,
    { [leadId]: [leadId] },
  ];
  for (const route of [predictPath, '/v1/lead-scores']) {
    for (const body of bodies.filter((each) => each !== tooMany || route === predictPath)) {
      expect((await request(route, body)).status).toBeGreaterThanOrEqual(400);
    }
  }
  const broken = `{"lead_id":"${leadId}"}\n{"lead_id":"${leadId}`;
  const refused = await request('/v1/lead-scores', broken, { 'content-type': 'application/x-ndjson' });
  expect(refused.status).toBe(400);
  const encoded = encodeURIComponent(leadId);
  for (const route of [`/v1/lead-scores/${encoded}`, `/v1/jobs/${encoded}`, `${predictPath}/${encoded}`]) {
    expect((await request(route)).status).toBeGreaterThanOrEqual(400);
  }
  expect((await request(`/v1/jobs?search=${encoded}`)).status).toBe(200);
  const headers = {
    'idempotency-key': idempotencyKey,
    'x-request-id': idWord.repeat(20),
    traceparent: idWord,
  };
  expect((await request(predictPath, [leadId], headers)).status).toBe(200);
  expect((await request(predictPath, [newId()], headers)).status).toBe(422);
  problems.push(await sendRaw(running.fleet.describe().api, `POST /${leadId} HTTP/1.1\r\n${name}\r\n\r\n`));

  const outcome = { event_id: `of-${leadId}`, kind: 'lead_converted', lead_id: leadId, happened: true };
  const occurred_at = new Date().toISOString();
  expect((await request('/v1/outcomes', [{ ...outcome, occurred_at }])).status).toBeLessThan(300);
  const bad = [
    { ...outcome, occurred_at: name },
    { ...outcome, occurred_at, lead_id: [leadId], [name]: job },
  ];
  await request('/v1/outcomes', bad);

  const { redis, keys, ledger } = running.clients;
  const prefix = `${keys.prefix(queue)}:${queue}`;
  for (const [index, data] of [`{"${leadId}`, JSON.stringify({ lead_ids: [leadId] })].entries()) {
    await redis.client.hset(`${prefix}:${leadId}-${index}`, { name, data, opts: '{}', timestamp: '1' });
    await redis.client.lpush(`${prefix}:wait`, `${leadId}-${index}`);
  }
  await until(async () => {
    const failed = await ledger.list({ states: ['failed'], limit: 100 });
    return failed.filter(({ error }) => error?.code === 'NOT_A_JOB').length === 2;
  });
  const run = await runPresage(['forget', '--lead', leadId], running.fleet.environment);
  messages.push(run.messages, run.output);
  expect(run.exitCode).toBe(0);
  await collectMetrics();
});

test('stores that stop, a worker that is killed with leads in hand', async () => {
  const leadIds = await newLeads((await sampleLeads()).map(({ features }) => ({ ...features, name })));
  const accepted = async () => {
    const { status, text } = await request('/v1/lead-scores', { lead_ids: leadIds });
    expect(status).toBe(202);
    return jobIdOf(text);
  };
  const jobs = [await accepted()];
  await running.mysql.stop();
  expect((await request(predictPath, leadIds)).status).toBe(503);
  await running.mysql.start();
  await running.redis.stop();
  await until(async () => (await request('/v1/jobs')).status === 200);
  expect((await request(predictPath, leadIds)).status).toBe(503);
  jobs.push(await accepted());
  await running.redis.start();
  process.kill(running.fleet.describe().pids[queue]?.[0] ?? 0, 'SIGKILL');
  jobs.push(await accepted());
  expect(new Set(await running.settled(jobs))).toEqual(new Set(['completed']));
  process.kill(running.fleet.describe().pids[queue]?.[0] ?? 0, 'SIGTERM');
  await until(() => logLines().some((line) => line.startsWith(queue) && line.includes('"msg":"stopped"')));
});

test('nothing of it is in any log line, problem, message, metric or trace', async () => {
  const lines = logLines();
  const expected = [
    '"level":"debug"',
    'not a job of this fleet',
    'the bulk is done',
    'a model version is loaded',
    `"route":"${predictPath}","status":422`,
    '"route":"/v1/lead-scores","status":400',
  ];
  expect(expected.filter((part) => !lines.some((line) => line.includes(part)))).toEqual([]);
  await until(() => collector.received().includes(queue));
  expect(problems.length).toBeGreaterThan(15);

  const ofLeads = ['presage_shadow_rows_total{', 'presage_feature_problems_total{', 'presage_lead_outcomes'];
  expect(ofLeads.filter((metric) => !metrics.some((text) => text.includes(metric)))).toEqual([]);

  const forbidden = [idWord, name, job, age];
  const places = [
    ...lines,
    ...problems.map((body) => `problem: ${body}`),
    ...messages.map((text) => `message: ${text}`),
    ...metrics.map((text) => `metrics: ${text}`),
    `traces: ${collector.received()}`,
  ];
  const found = places.filter((place) => forbidden.some((word) => place.includes(word)));
  expect(found.map((place) => place.slice(0, 2_000))).toEqual([]);
});
