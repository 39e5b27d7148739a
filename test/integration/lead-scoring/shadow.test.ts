import { randomUUID } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { LeadScores } from '../../../shared/contracts/lead-scoring.ts';
import type { BinaryClassifier } from '../../../shared/models/manifest.ts';
import type { FeatureRow } from '../../../shared/models/prepare-features.ts';
import { createShadowRows } from '../../../workers/lead-scoring/shadow-rows.ts';
import { openLeadScoring, type LeadScoringRoom } from '../../support/open-lead-scoring.ts';
import { playChallenger, scoredHalf } from '../../support/play-challenger.ts';
import { byId, sampleLeads } from '../../support/sample-leads.ts';
import { until } from '../../support/until.ts';

let room: LeadScoringRoom;
beforeEach(async () => {
  room = await openLeadScoring();
  await room.serve('1.0.0');
});
afterEach(() => room[Symbol.asyncDispose]());

async function newLeads(): Promise<string[]> {
  const leads = await sampleLeads();
  await room.addLeads(byId(leads));
  return leads.map(({ leadId }) => leadId);
}

async function untilShadowed(outcome: string, rows: number, within = room): Promise<void> {
  await until(async () => (await within.shadowed())[outcome] === rows);
}

const probabilities = ({ predictions }: LeadScores) =>
  new Map(predictions.map(({ lead_id, probability }) => [lead_id, probability]));

test('a challenger scores the same leads, and the answer is the same with it and without', async () => {
  const ids = [...(await newLeads()), 'lead-of-nobody', ''];
  const without = await room.run(ids);
  expect(await room.shadowed()).toEqual({});

  await room.challenge('2.0.0', { intercept: 1 });
  const bulk = uuid();
  const jobId = uuid();
  await room.redis.del(ids.map((leadId) => `ml:lead-score:${leadId}`));
  expect(await room.run(ids, { jobId })).toEqual(without);
  await room.runChunk(bulk, { lead_ids: ids, first_position: 0 });
  const scored = ids.length - 2;
  await untilShadowed('compared', 2 * scored);
  const champion = probabilities(without);
  await using alone = await openLeadScoring({ beside: room });
  await alone.serve('2.0.0', { intercept: 1 });
  const challenger = probabilities(await alone.run(ids));
  const stored = await room.storedRows(jobId);
  const rows = await room.shadowRows();
  expect(rows).toHaveLength(2 * scored);
  for (const row of rows.filter(({ job_id }) => job_id === jobId)) {
    expect(row).toEqual({
      job_id: jobId,
      lead_id: row.lead_id,
      model_id: 'lead-conversion',
      champion_version: '1.0.0',
      challenger_version: '2.0.0',
      champion_probability: champion.get(row.lead_id),
      challenger_probability: challenger.get(row.lead_id),
      scored_at: stored[0]?.scored_at,
    });
  }
  const ofBulk = rows.filter(({ job_id }) => job_id === bulk).map(({ lead_id }) => lead_id);
  expect(ofBulk).toEqual(ids.slice(0, scored).sort());
});

test('only what is scored anew is compared', async () => {
  await room.challenge('2.0.0', { intercept: 1 });
  const ids = await newLeads();
  const jobId = uuid();
  await room.run(ids, { jobId });
  await untilShadowed('compared', ids.length);
  await room.run(ids);
  await room.run(ids, { jobId, mayHaveRunBefore: true });
  // What was offered before something else is compared before it.
  const [other = ''] = await newLeads();
  await room.run([...ids, other]);
  await untilShadowed('compared', ids.length + 1);
  expect(await room.shadowRows()).toHaveLength(ids.length + 1);
});

test('of two runs of a job at once, the one whose scores are stored is compared', async () => {
  await using second = await openLeadScoring({ beside: room });
  await second.serve('3.0.0', { intercept: 2 });
  for (const each of [room, second]) await each.challenge('2.0.0', { intercept: 1 });
  const ids = await newLeads();
  for (let round = 1; round <= 5; round += 1) {
    const jobId = uuid();
    const [{ model_version: version }] = await Promise.all([
      room.run(ids, { jobId }),
      second.run(ids, { jobId, mayHaveRunBefore: true }),
    ]);
    await until(async () => (await room.shadowRows()).length === round * ids.length);
    const rows = (await room.shadowRows()).filter(({ job_id }) => job_id === jobId);
    expect(new Set(rows.map((row) => row.champion_version))).toEqual(new Set([version]));
    await room.redis.del(ids.map((leadId) => `ml:lead-score:${leadId}`));
  }
});

test('a lead that one version rejects has no probability of it', async () => {
  const rejecting = (column: string) => ({
    change: (manifest: BinaryClassifier) => ({
      ...manifest,
      feature_columns: manifest.feature_columns.map((one) =>
        one.name === column ? { ...one, missing: { strategy: 'reject' as const } } : one,
      ),
    }),
  });
  await room.serve('1.1.0', rejecting('age'));
  await room.challenge('2.0.0', rejecting('job'));
  const [both, ageless, jobless, neither] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const text = randomUUID();
  await room.addLeads({
    [both]: { age: 40, job: 'student' },
    [ageless]: { job: 'student' },
    [jobless]: { age: 40 },
    [neither]: {},
    // Nobody is asked about it.
    [text]: 'no JSON',
  });
  await room.run([both, ageless, jobless, neither, text]);
  await untilShadowed('compared', 4);
  const said = (await room.shadowRows()).map((row) => [
    row.lead_id,
    row.champion_probability !== null,
    row.challenger_probability !== null,
  ]);
  expect(new Map(said.map(([leadId, ...has]) => [leadId, has]))).toEqual(
    new Map([
      [both, [true, true]],
      [ageless, [false, true]],
      [jobless, [true, false]],
      [neither, [false, false]],
    ]),
  );
});

test('another challenger, and none, without a restart', async () => {
  const run = async () => {
    const ids = await newLeads();
    await room.run(ids);
    return ids.length;
  };
  await room.challenge('2.0.0', { intercept: 1 });
  let compared = await run();
  await untilShadowed('compared', compared);
  await room.challenge('3.0.0', { intercept: 2 });
  compared += await run();
  await untilShadowed('compared', compared);
  await room.challenge(undefined);
  await run();
  expect(await room.shadowed()).toEqual({ compared });
  const versions = (await room.shadowRows()).map((row) => row.challenger_version);
  expect(new Set(versions)).toEqual(new Set(['2.0.0', '3.0.0']));
});

test('a challenger that never answers delays no answer; one that fails changes none', async () => {
  const ids = await newLeads();
  const without = await room.run(ids);
  const called = Promise.withResolvers<void>();
  const never = await playChallenger(() => {
    called.resolve();
    return new Promise(() => {});
  });
  const failing = await playChallenger(() => Promise.reject(new Error('its thread broke')));
  for (const challenger of [never, failing]) {
    await using other = await openLeadScoring({ beside: room, challenger });
    await other.serve('1.0.0');
    for (let round = 0; round < 3; round += 1) {
      await room.redis.del(ids.map((leadId) => `ml:lead-score:${leadId}`));
      expect(await other.run(ids)).toEqual(without);
    }
    if (challenger === never) {
      await called.promise;
      expect(await other.run(ids)).toEqual(without);
      expect(never.leases()).toBe(1);
    } else {
      await untilShadowed('failed', 3 * ids.length, other);
      expect(other.logLines.filter((line) => line.includes('not compared'))).toHaveLength(1);
    }
  }
  expect(never.leases()).toBe(0);
  expect(await room.shadowRows()).toEqual([]);
});

test('a lead that is forgotten while it waits leaves no trace, the others do', async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const challenger = await playChallenger(async (rows: readonly FeatureRow[]) => {
    asked.resolve();
    await release.promise;
    return rows.map(() => scoredHalf);
  });
  await using other = await openLeadScoring({ beside: room, challenger });
  await other.serve('1.0.0');
  const ids = await newLeads();
  const [forgotten = '', ...rest] = ids;
  await other.run(ids);
  await asked.promise;
  for (const table of ['leads', 'lead_scores'] as const) {
    await room.database.db.deleteFrom(table).where('lead_id', '=', forgotten).execute();
  }
  release.resolve();
  await untilShadowed('compared', rest.length, other);
  expect(await other.shadowed()).toEqual({ compared: rest.length, skipped: 1 });
  const rows = await room.shadowRows();
  expect(rows.map(({ lead_id }) => lead_id)).toEqual(rest.sort());
});

test('what is recorded twice is there once, as it was first', async () => {
  const ids = await newLeads();
  const jobIds = [uuid(), uuid()];
  for (const jobId of jobIds) await room.run(ids, { jobId });
  const { record } = createShadowRows(room.database.db);
  const rows = jobIds.flatMap((job_id) =>
    ids.map((lead_id) => ({
      job_id,
      lead_id,
      model_id: 'lead-conversion',
      champion_version: '1.0.0',
      challenger_version: '2.0.0',
      champion_probability: 0.25,
      challenger_probability: null,
      scored_at: new Date('2026-03-02T09:00:00Z'),
    })),
  );
  expect(await record(rows.slice(5))).toBe(rows.length - 5);
  const again = rows.map((row) => ({ ...row, challenger_probability: 0.5 }));
  expect(await Promise.all([record(again), record(again)])).toEqual(expect.arrayContaining([5, 0]));
  const stored = await room.shadowRows();
  expect(stored).toHaveLength(rows.length);
  expect(stored.filter((row) => row.challenger_probability !== null)).toHaveLength(5);
  expect(await record(rows.map((row) => ({ ...row, job_id: uuid() })))).toBe(0);
});
