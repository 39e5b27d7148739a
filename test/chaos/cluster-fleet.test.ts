import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { insertActivity } from '../../shared/activity/insert-activity.ts';
import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import { churnInsight } from '../../shared/contracts/churn-insight.ts';
import type { QueueContract } from '../../shared/contracts/define-queue.ts';
import { leadScoring } from '../../shared/contracts/lead-scoring.ts';
import { modelServing } from '../../shared/contracts/model-serving.ts';
import { patternDetection } from '../../shared/contracts/pattern-detection.ts';
import { splitBulk } from '../../shared/leads/split-bulk.ts';
import { writeLeads } from '../../shared/leads/write-leads.ts';
import { daysBefore } from '../../shared/patterns/local-day.ts';
import { everyDay, onWeekdays } from '../support/make-habits.ts';
import { moveSlot } from '../support/move-slot.ts';
import { openClusterFleet, type ClusterFleet } from '../support/open-cluster-fleet.ts';
import { openRedisCluster, type RedisCluster } from '../support/open-redis-cluster.ts';
import { newContacts } from '../support/open-running-fleet.ts';
import { runPresage } from '../support/run-presage.ts';
import { sampleAlerts } from '../support/sample-alerts.ts';
import { sampleLeads } from '../support/sample-leads.ts';
import { until } from '../support/until.ts';

const contactsPerJob = 4;
const usersPerRound = 2;
const leadsPerJob = 20;
const leadsPerBulk = 4_000;
const habit = onWeekdays('dashboard-quokka', daysBefore(Date.now(), 'UTC', 30), { weekdays: everyDay });
const row = { fred_CPIAUCSL_lag_30d: 105.2 };

let cluster: RedisCluster;
let fleet: ClusterFleet;
beforeAll(async () => {
  // The third primary has the slots of four of the queues.
  cluster = await openRedisCluster({ replicaOf: 2 });
  fleet = await openClusterFleet(cluster);
});
afterAll(async () => {
  await fleet[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const database = () => fleet.clients.database.db;
const ask = (at: 'api' | 'dashboard', route: string, init: RequestInit = {}) =>
  fetch(`${fleet.up.stack()[at]}${route}`, init);

/** What was sent, by queue: the ids of the jobs. */
const sent = new Map<string, string[]>();
const bulks: string[] = [];
const users: string[] = [];
const entities: string[] = [];

async function enqueue(contract: QueueContract, payload: unknown): Promise<string> {
  const { id } = await fleet.clients.enqueue.enqueue(contract, payload);
  sent.set(contract.name, [...(sent.get(contract.name) ?? []), id]);
  return id;
}

/** Somebody with a habit, of which come one prediction and one page. */
async function plantUser(): Promise<void> {
  const userId = `user-${randomUUID()}`;
  users.push(userId);
  const events = habit.map(({ activityType, occurredAtMs, timezone }) => ({
    event_id: randomUUID(),
    user_id: userId,
    activity_type: activityType,
    occurred_at: new Date(occurredAtMs),
    timezone,
    metadata: null,
  }));
  await insertActivity(database(), events);
}

async function enqueueBulk(leadIds: readonly string[]): Promise<void> {
  const accepted = await fleet.clients.enqueue.enqueueBulk(leadScoring, await splitBulk([leadIds]));
  if (accepted.kind === 'first') bulks.push(accepted.jobId);
}

async function enqueueAlert(): Promise<void> {
  const entityId = `stu_${randomUUID()}`;
  entities.push(entityId);
  await enqueue(churnInsight, { ...sampleAlerts.calls, entity_id: entityId });
}

/** Work of every kind at once. */
async function sendRound(leadIds: readonly string[]): Promise<void> {
  await Promise.all(Array.from({ length: usersPerRound }, plantUser));
  await Promise.all([
    enqueue(callTimePrediction, { contacts: newContacts(contactsPerJob) }),
    enqueueAlert(),
    enqueue(patternDetection, {}),
    enqueue(leadScoring, { lead_ids: leadIds.slice(0, leadsPerJob) }),
    enqueueBulk(leadIds),
    enqueue(modelServing, { model_id: 'macro-effects', rows: [row, row, row], missing: 'impute' }),
  ]);
}

async function newLeads(): Promise<string[]> {
  const samples = await sampleLeads();
  const leads = Array.from({ length: leadsPerBulk }, (_nothing, index) => ({
    lead_id: `lead-${index}`,
    features: JSON.stringify(samples[index % samples.length]?.features),
    updated_at: new Date(),
  }));
  await writeLeads(database(), leads);
  return leads.map(({ lead_id }) => lead_id);
}

/** The result of a job that took longer than its caller waited, as it may while the queue's node is away. */
async function resultOf(accepted: unknown): Promise<unknown> {
  const { job_id: id } = z.object({ job_id: z.string() }).parse(accepted);
  const read = () => fleet.clients.ledger.read(id);
  await until(async () => (await read())?.state === 'completed');
  return (await read())?.result;
}

/** A request whose caller waits for the answer; answers what was predicted. */
async function predictNow(contacts = newContacts(contactsPerJob)): Promise<{ cached: boolean }[]> {
  const response = await ask('api', '/v1/call-times?wait_ms=30000', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ contacts }),
  });
  const answer: unknown = await response.json();
  const { predictions, errors } = callTimePrediction.result.parse(
    response.status === 202 ? await resultOf(answer) : answer,
  );
  expect({ count: predictions.length, errors }).toEqual({ count: contacts.length, errors: [] });
  return predictions;
}

const jobs = () => database().selectFrom('jobs').select(['id', 'queue', 'state', 'attempts']).execute();

async function countOf(table: 'page_cache' | 'generation_queue'): Promise<{ rows: number; users: number }> {
  const rows = await database().selectFrom(table).select('user_id').execute();
  return { rows: rows.length, users: new Set(rows.map(({ user_id }) => user_id)).size };
}

/** Positions in the order of each job's leads, for each of the jobs. */
async function positionsOf(jobIds: readonly string[]): Promise<number[][]> {
  const rows = await database()
    .selectFrom('lead_scores')
    .select(['job_id', 'position'])
    .where('job_id', 'in', jobIds)
    .orderBy('position')
    .execute();
  const byJob = Map.groupBy(rows, ({ job_id }) => job_id);
  return jobIds.map((id) => (byJob.get(id) ?? []).map(({ position }) => position));
}

test('a slot moves, one primary dies for good and another for a while: all is done, and once', async () => {
  const leadIds = await newLeads();
  const [first, second, third] = cluster.nodes;
  if (!first || !second || !third || !cluster.replica) throw new Error('the cluster lacks nodes');
  const { keys } = fleet.clients;

  await sendRound(leadIds);
  await Promise.all([
    moveSlot(keys.meta(leadScoring.name), third, first),
    moveSlot(keys.meta(modelServing.name), first, second),
    sendRound(leadIds),
  ]);
  await predictNow();

  const { replica } = cluster;
  await sendRound(leadIds);
  await third.kill();
  await sendRound(leadIds);
  await until(async () => String(await replica.ask('role')).startsWith('master'));
  await cluster.untilWhole();
  await predictNow();

  // This one has no replica.
  await sendRound(leadIds);
  await second.kill();
  await sendRound(leadIds);
  await second.start();
  await cluster.untilWhole();
  await predictNow();

  const rounds = sent.get(patternDetection.name)?.length ?? 0;
  await until(async () => (await jobs()).every(({ state }) => state !== 'accepted'));
  await until(async () => (await countOf('page_cache')).rows === users.length);
  // No attempt was spent on what Redis went through.
  expect((await jobs()).filter(({ state, attempts }) => state !== 'completed' || attempts !== 1)).toEqual([]);

  const callTimes = await database()
    .selectFrom('call_time_predictions')
    .select(['job_id', 'position'])
    .where('job_id', 'in', sent.get(callTimePrediction.name) ?? [])
    .execute();
  expect(callTimes).toHaveLength(rounds * contactsPerJob);
  for (const entityId of entities) {
    expect(await (await ask('api', `/v1/insights/${entityId}`)).json()).toMatchObject({
      insights: [{ entity_id: entityId, degraded: false }],
    });
  }
  const each = { rows: users.length, users: users.length };
  expect(await countOf('generation_queue')).toEqual(each);
  expect(await countOf('page_cache')).toEqual(each);
  const places = Array.from({ length: leadsPerBulk }, (_nothing, place) => place);
  const scored = await positionsOf(sent.get(leadScoring.name) ?? []);
  expect(scored).toEqual(scored.map(() => places.slice(0, leadsPerJob)));
  const inBulk = await positionsOf(bulks);
  expect(bulks).toHaveLength(rounds);
  expect(inBulk).toEqual(bulks.map(() => places));
  for (const id of sent.get(modelServing.name) ?? []) {
    const file = fileURLToPath(`${fleet.up.stack().artifacts}/predictions/${id}.ndjson`);
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(3);
  }
  const calls = await database().selectFrom('llm_calls').select('state').execute();
  expect(calls.filter(({ state }) => state !== 'answered')).toEqual([]);
  expect(fleet.llm.requests).toHaveLength(calls.length);
}, 400_000);

async function command(...argv: string[]): Promise<unknown> {
  const { exitCode, output, messages } = await runPresage(argv, fleet.environment);
  expect({ exitCode, messages }).toEqual({ exitCode: 0, messages: '' });
  return JSON.parse(output);
}

test('operators steer and look at queues that are spread over the nodes', async () => {
  await command('queues', 'pause', modelServing.name);
  const id = await enqueue(modelServing, { model_id: 'macro-effects', rows_key: 'late.ndjson' });
  const { queues } = (await command('queues', '--json')) as { queues: unknown[] };
  expect(queues).toHaveLength(6);
  expect(queues).toContainEqual(
    expect.objectContaining({ queue: modelServing.name, paused: true, waiting: 1 }),
  );
  expect(await (await ask('dashboard', '/queues/api/queues')).json()).toMatchObject({
    queues: expect.arrayContaining([
      expect.objectContaining({ name: modelServing.name, isPaused: true }),
    ]) as unknown,
  });
  await command('queues', 'resume', modelServing.name);

  const stateOf = async () => (await fleet.clients.ledger.read(id))?.state;
  await until(async () => (await stateOf()) === 'failed');
  const artifacts = fileURLToPath(fleet.up.stack().artifacts);
  await mkdir(artifacts, { recursive: true });
  await writeFile(path.join(artifacts, 'late.ndjson'), `${JSON.stringify(row)}\n`);
  expect(await command('failed', 'retry', id)).toMatchObject({ retried: 1 });
  await until(async () => (await stateOf()) === 'completed');

  const { findings } = (await command('doctor', '--json')) as {
    findings: { subject: string; state: string }[];
  };
  expect(findings.filter(({ subject, state }) => subject === 'redis' && state !== 'ok')).toEqual([]);

  // The caches have lost what they lost, and go on.
  const contacts = newContacts(contactsPerJob);
  await until(async () => (await predictNow(contacts)).every(({ cached }) => cached));
  const phone = contacts[0]?.phoneNumber ?? '';
  expect(await command('forget', '--phone', phone)).toMatchObject({ cache_entries_deleted: 1, running: [] });
});
