import { randomUUID } from 'node:crypto';
import type { Insertable } from 'kysely';
import { nothingForgotten } from '../../../producers/cli/forget/nothing-forgotten.ts';
import { personWithLeadId } from '../../../producers/cli/forget/person-with-lead-id.ts';
import { leadScoring } from '../../../shared/contracts/lead-scoring.ts';
import type { LeadShadowScoresTable } from '../../../shared/database/lead-shadow-scores-table.ts';
import type { OutcomesTable } from '../../../shared/database/outcomes-table.ts';
import { leadScoreCacheKey } from '../../../shared/leads/lead-score-cache-key.ts';
import { readLeads } from '../../../shared/leads/read-leads.ts';
import { writeLeads } from '../../../shared/leads/write-leads.ts';
import { createShadowRows } from '../../../workers/lead-scoring/shadow-rows.ts';
import { insertLlmCalls } from '../../support/insert-llm-calls.ts';
import { runPresage } from '../../support/run-presage.ts';
import { useForgetRoom } from '../../support/use-forget-room.ts';

const queue = leadScoring.name;
const leadId = 'zelda';
/** Other leads, whose ids hold the person's. */
const first = 'zelda 2';
const rest = ['zelda@example.org', 'zelda-3', 'the zelda'];
const otherIds = [first, ...rest];

const room = useForgetRoom([leadScoring]);
beforeEach(() => importLeads([leadId, ...otherIds]));

const forget = (waitMs = 0) => room.fleet.forget(personWithLeadId(leadId), waitMs);

function importLeads(leadIds: readonly string[]): Promise<void> {
  const updated_at = new Date();
  const features = JSON.stringify({ job: 'admin.', poutcome: 'their past' });
  return writeLeads(
    room.fleet.database.db,
    leadIds.map((id) => ({ lead_id: id, features, updated_at })),
  );
}

/** A worker that leaves behind what the real one does, under control of the test. */
function consume(work: () => Promise<void> = () => Promise.resolve()) {
  room.fleet.consume(leadScoring, {
    async start(payload, { jobId }) {
      if (!('lead_ids' in payload)) throw new Error('only batches are asked for here');
      const { db } = room.fleet.database;
      const known = await readLeads(db, payload.lead_ids);
      await work();
      const scored = payload.lead_ids.filter((id) => known.has(id));
      const score = { probability: 0.25, confidence: 0.75, feature_coverage: 1 };
      for (const [position, id] of scored.entries()) {
        await room.fleet.redis.client.set(leadScoreCacheKey(id), '{}');
        const row = { job_id: jobId, lead_id: id, position, ...score, degraded: 0 };
        await db
          .insertInto('lead_scores')
          .values({ ...row, ...version, error_code: null, error_message: null, scored_at: new Date() })
          .execute();
        await db
          .insertInto('lead_shadow_scores')
          .values(['2.0.0', '3.0.0'].map((challenger) => shadowRow(jobId, id, challenger)))
          .execute();
      }
      return {
        predictions: scored.map((id) => ({ lead_id: id, ...score, degraded: false })),
        errors: payload.lead_ids
          .filter((id) => !known.has(id))
          .map((id) => ({ lead_id: id, code: 'LEAD_NOT_FOUND' as const, message: 'There is none' })),
        schema_version: 'v1' as const,
        contract_version: 1 as const,
        ...version,
        model_sha256: 'a'.repeat(64),
        calibration_metadata: {
          method: 'sigmoid',
          parameters: { slope: 1 },
          fitted_at: '2026-01-01T00:00:00Z',
          calibration_error: 0.01,
        },
      };
    },
  });
}

function shadowRow(jobId: string, id: string, challenger: string): LeadShadowScoresTable {
  return {
    job_id: jobId,
    lead_id: id,
    model_id: 'lead-conversion',
    champion_version: '1.0.0',
    challenger_version: challenger,
    champion_probability: 0.25,
    challenger_probability: 0.5,
    scored_at: new Date(),
  };
}

const version = { model_id: 'lead-conversion', model_version: '1.0.0' };

const submit = (leadIds: readonly string[], options: { delayMs?: number } = {}) =>
  room.fleet.enqueue.enqueue(leadScoring, { lead_ids: [...leadIds] }, options).then(({ id }) => id);

/** What is left of the person in MySQL and Redis: an empty text is what there should be. */
async function traces(): Promise<string> {
  let held = await room.fleet.everything();
  for (const otherId of otherIds) held = held.replaceAll(otherId, '');
  return [...held.matchAll(/.{0,40}zelda.{0,40}/g)].map(([around]) => around).join('\n');
}

function plantOutcomes(outcomes: readonly Pick<Insertable<OutcomesTable>, 'kind' | 'subject'>[]) {
  const common = { page_key: null, job_id: null, happened: 1, occurred_at: new Date() };
  return room.fleet.database.db
    .insertInto('outcomes')
    .values(outcomes.map((outcome) => ({ ...outcome, ...common, event_id: randomUUID() })))
    .execute();
}

test('the lead, its scores, its outcomes, and what jobs and caches say of it; nothing of the others', async () => {
  consume();
  const ids = [await submit([first, leadId, ...rest]), await submit([leadId]), await submit([leadId])];
  for (const id of ids) expect(await room.fleet.settled(id)).toMatchObject({ state: 'completed' });
  const untouched = await submit(otherIds);
  await room.fleet.settled(untouched);
  const before = await room.fleet.ledger.read(untouched);
  await plantOutcomes([
    { kind: 'lead_converted', subject: leadId },
    { kind: 'lead_converted', subject: first },
  ]);
  const dueAt = new Date(Date.now() + 60_000);
  await room.fleet.ledger.acceptIdempotently(
    { queue, payload: '{}', priority: 0, dueAt },
    { scope: 'anonymous', key: `score ${leadId}`, answerWithinMs: 0 },
  );
  await insertLlmCalls(room.fleet.database.db, [{ job_id: ids[1] ?? '', answer: 'zelda will convert' }]);
  await room.fleet.nobodyIsAtWork();
  expect(await traces()).not.toBe('');

  expect(await forget()).toEqual({
    ...nothingForgotten(),
    jobs_rewritten: 3,
    redis_jobs_removed: 3,
    leads_deleted: 1,
    lead_scores_deleted: 3,
    lead_shadow_scores_deleted: 6,
    outcomes_deleted: 1,
    answers_deleted: 1,
    cache_entries_deleted: 1,
    idempotency_keys_deleted: 1,
  });
  expect(await traces()).toBe('');
  expect(await room.fleet.ledger.read(ids[0] ?? '')).toMatchObject({
    payload: { lead_ids: [first, '[forgotten]', ...rest] },
    result: {
      predictions: [
        { lead_id: first, probability: 0.25 },
        { lead_id: '[forgotten]', probability: 0.25 },
        ...rest.map((id) => ({ lead_id: id })),
      ],
      ...version,
    },
  });
  expect(await room.fleet.ledger.read(untouched)).toEqual(before);
  const { db } = room.fleet.database;
  const left = await db.selectFrom('leads').select('lead_id').execute();
  expect(left.map((row) => row.lead_id).sort()).toEqual([...otherIds].sort());
  const scores = await db.selectFrom('lead_scores').select('lead_id').execute();
  expect(new Set(scores.map((row) => row.lead_id))).toEqual(new Set(otherIds));
  const shadowed = await db.selectFrom('lead_shadow_scores').select('lead_id').execute();
  expect(new Set(shadowed.map((row) => row.lead_id))).toEqual(new Set(otherIds));
  expect(await room.fleet.redis.client.exists(otherIds.map(leadScoreCacheKey))).toBe(otherIds.length);
  expect(await db.selectFrom('outcomes').select('subject').execute()).toEqual([{ subject: first }]);
  expect(await forget()).toEqual(nothingForgotten());
});

test('more than a statement takes, while workers compare scores', async () => {
  const jobIds = Array.from({ length: 1_201 }, () => randomUUID());
  const { db } = room.fleet.database;
  const score = { lead_id: leadId, position: 0, probability: 0.25, confidence: 0.75, feature_coverage: 1 };
  const rowOf = { degraded: 0, ...version, error_code: null, error_message: null, scored_at: new Date() };
  await db
    .insertInto('lead_scores')
    .values(jobIds.map((job_id) => ({ job_id, ...score, ...rowOf })))
    .execute();
  const { record } = createShadowRows(db);
  const slices = Array.from({ length: 13 }, (_, slice) => jobIds.slice(slice * 100, (slice + 1) * 100));
  const comparing = Promise.all(
    slices.map((slice) => record(slice.map((jobId) => shadowRow(jobId, leadId, '2.0.0')))),
  );
  const [done] = await Promise.all([forget(), comparing]);
  expect(done).toMatchObject({ leads_deleted: 1, lead_scores_deleted: 1_201 });
  expect(await traces()).toBe('');
});

test('an outcome of another kind is about somebody else of that id', async () => {
  await plantOutcomes([{ kind: 'churned', subject: leadId }]);
  expect(await forget()).toEqual({ ...nothingForgotten(), leads_deleted: 1 });
  expect(await room.fleet.database.db.selectFrom('outcomes').select('kind').execute()).toEqual([
    { kind: 'churned' },
  ]);
});

test('waiting and delayed jobs go on without the person, who is no lead any more', async () => {
  const ids = [await submit([leadId, ...otherIds]), await submit([leadId], { delayMs: 1_000 })];
  expect(await forget()).toEqual({
    ...nothingForgotten(),
    jobs_rewritten: 2,
    jobs_dispatched_again: 2,
    leads_deleted: 1,
  });
  expect(await traces()).toBe('');
  consume();
  const results = [];
  for (const id of ids) results.push((await room.fleet.settled(id)).result);
  const errors = [{ lead_id: '[forgotten]', code: 'LEAD_NOT_FOUND' }];
  expect(results).toMatchObject([
    { predictions: otherIds.map((id) => ({ lead_id: id })), errors },
    { predictions: [], errors },
  ]);
  expect(await traces()).toBe('');
});

test('a job that a worker has in hand is waited for, or named', async () => {
  const release = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  consume(() => {
    started.resolve();
    return release.promise;
  });
  const id = await submit([leadId, first]);
  await started.promise;
  expect(await forget(0)).toEqual({ ...nothingForgotten(), leads_deleted: 1, running: [id] });
  const waiting = forget(20_000);
  release.resolve();
  expect(await waiting).toMatchObject({
    jobs_rewritten: 1,
    lead_scores_deleted: 1,
    lead_shadow_scores_deleted: 2,
    cache_entries_deleted: 1,
    running: [],
  });
  expect(await room.fleet.settled(id)).toMatchObject({ state: 'completed' });
  expect(await traces()).toBe('');
});

test('presage forget --lead prints what it did, without the id', async () => {
  const stored = await runPresage(
    ['enqueue', queue, '--json', JSON.stringify({ lead_ids: [leadId] }), '--delay', '60000'],
    room.fleet.environment,
  );
  expect(stored.exitCode).toBe(0);
  const run = await runPresage(['forget', '--lead', leadId], room.fleet.environment);
  expect(run).toMatchObject({ exitCode: 0, messages: '' });
  expect(JSON.parse(run.output)).toEqual({
    ...nothingForgotten(),
    jobs_rewritten: 1,
    jobs_dispatched_again: 1,
    leads_deleted: 1,
  });
  expect(run.output).not.toContain(leadId);
  expect(await traces()).toBe('');
});
