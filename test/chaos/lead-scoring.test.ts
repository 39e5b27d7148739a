import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { leadBulkResultSchema, leadScoresSchema, leadScoring } from '../../shared/contracts/lead-scoring.ts';
import { splitBulk } from '../../shared/leads/split-bulk.ts';
import { writeLeads } from '../../shared/leads/write-leads.ts';
import { openRunningFleet, type RunningFleet } from '../support/open-running-fleet.ts';
import { sampleLeads } from '../support/sample-leads.ts';
import { until } from '../support/until.ts';

const queue = leadScoring.name;
const leadsPerJob = 2_000;

let running: RunningFleet;
beforeAll(async () => {
  running = await openRunningFleet({
    replicas: { [queue]: 2 },
    // Few in hand, so that work goes on for a while.
    environment: { WORKER_CONCURRENCY: '2' },
  });
});
afterAll(() => running[Symbol.asyncDispose]());

const database = () => running.clients.database.db;
const workers = () => running.fleet.describe().pids[queue] ?? [];

/** Writes new leads; answers their ids. */
async function newLeads(count: number): Promise<string[]> {
  const samples = await sampleLeads();
  const leads = Array.from({ length: count }, (_, index) => ({
    lead_id: `lead-${randomUUID()}`,
    features: JSON.stringify({ ...samples[index % samples.length]?.features, age: 18 + (index % 70) }),
    updated_at: new Date(),
  }));
  await writeLeads(database(), leads);
  return leads.map(({ lead_id }) => lead_id);
}

async function submit(leadIds: readonly string[]): Promise<string> {
  return (await running.clients.enqueue.enqueue(leadScoring, { lead_ids: [...leadIds] })).id;
}

/** Checks that every lead of a job has one row, that the answer says the same, and that it was told of once. */
async function expectScoredOnce(jobId: string, leadIds: readonly string[]): Promise<void> {
  const record = await running.clients.ledger.read(jobId);
  const { predictions, errors } = leadScoresSchema.parse(record?.result);
  expect(errors).toEqual([]);
  const rows = await database()
    .selectFrom('lead_scores')
    .select(['lead_id', 'probability', 'confidence', 'feature_coverage'])
    .where('job_id', '=', jobId)
    .orderBy('position')
    .execute();
  expect(rows.map(({ lead_id }) => lead_id)).toEqual(leadIds);
  expect(predictions).toEqual(rows.map((row) => ({ ...row, degraded: false })));
  await until(async () => (await eventsOf(jobId)) === 1);
}

async function eventsOf(jobId: string): Promise<number> {
  const events = await database()
    .selectFrom('ai_events')
    .select('job_id')
    .where('job_id', '=', jobId)
    .where('error_code', 'is', null)
    .execute();
  return events.length;
}

test('both workers killed while they write their scores: each lead is scored once', async () => {
  const leadIds = await newLeads(leadsPerJob);
  const before = workers();
  let jobs: string[] = [];
  // While the table is locked, what has been scored cannot be written.
  await database()
    .connection()
    .execute(async (locking) => {
      await sql`lock tables lead_scores write`.execute(locking);
      jobs = await Promise.all([submit(leadIds), submit(leadIds.toReversed())]);
      await until(async () => {
        const { rows } = await sql`select 1 from information_schema.processlist
          where db = database() and state = 'Waiting for table metadata lock'`.execute(database());
        return rows.length >= jobs.length;
      });
      for (const pid of before) process.kill(pid, 'SIGKILL');
      await sql`unlock tables`.execute(locking);
    });
  expect(await running.settled(jobs)).toEqual(['completed', 'completed']);
  expect(workers().filter((pid) => before.includes(pid))).toEqual([]);
  const [first = '', second = ''] = jobs;
  await expectScoredOnce(first, leadIds);
  await expectScoredOnce(second, leadIds.toReversed());
});

test('a worker killed in the middle of a hundred thousand leads: each lead is scored once', async () => {
  const leadIds = await newLeads(100_000);
  const batches = Array.from({ length: leadIds.length / leadsPerJob }, (_, index) =>
    leadIds.slice(index * leadsPerJob, (index + 1) * leadsPerJob),
  );
  const jobs = await Promise.all(batches.map(submit));
  await until(async () => (await running.clients.ledger.settledAmong(jobs)).length >= 5, {
    withinMs: 240_000,
  });
  expect((await running.clients.ledger.settledAmong(jobs)).length).toBeLessThan(jobs.length);
  const [victim = 0] = workers();
  process.kill(victim, 'SIGKILL');
  const states = await running.settled(jobs);
  expect(new Set(states)).toEqual(new Set(['completed']));
  for (const [index, jobId] of jobs.entries()) await expectScoredOnce(jobId, batches[index] ?? []);
  const { rows } = await sql<{ leads: number; scores: number }>`
    select count(distinct lead_id) as leads, count(*) as scores from lead_scores
    where job_id in (${sql.join(jobs)})`.execute(database());
  expect(rows).toEqual([{ leads: 100_000, scores: 100_000 }]);
}, 600_000);

test('a worker killed in the middle of a bulk of a hundred thousand leads: each lead is scored once', async () => {
  const leadIds = await newLeads(100_000);
  const { enqueue, ledger } = running.clients;
  const accepted = await enqueue.enqueueBulk(leadScoring, await splitBulk([leadIds]));
  if (accepted.kind !== 'first') throw new Error('it has no key');
  const { jobId } = accepted;
  await until(async () => (await ledger.childProgress(jobId)).done >= 5);
  expect((await ledger.childProgress(jobId)).done).toBeLessThan(50);
  const [victim = 0] = workers();
  process.kill(victim, 'SIGKILL');
  expect(await running.settled([jobId])).toEqual(['completed']);
  expect(leadBulkResultSchema.parse((await ledger.read(jobId))?.result)).toEqual({
    total: 100_000,
    scored: 100_000,
    errors: {},
    failed_chunks: 0,
    results_url: `/v1/lead-scores/${jobId}`,
  });
  const rows = await database()
    .selectFrom('lead_scores')
    .select('lead_id')
    .where('job_id', '=', jobId)
    .orderBy('position')
    .execute();
  expect(rows.map(({ lead_id }) => lead_id)).toEqual(leadIds);
}, 600_000);
