import { v7 as uuid } from 'uuid';
import { forgotten } from '../../../producers/cli/forget/mention.ts';
import { ModelNotReadyError } from '../../../shared/errors/job-error.ts';
import { openLeadScoring, type LeadScoringRoom } from '../../support/open-lead-scoring.ts';
import { byId, sampleLeads } from '../../support/sample-leads.ts';

let room: LeadScoringRoom;
beforeEach(async () => {
  room = await openLeadScoring();
});
afterEach(() => room[Symbol.asyncDispose]());

async function newLeads(): Promise<string[]> {
  const leads = await sampleLeads();
  await room.addLeads(byId(leads));
  return leads.map(({ leadId }) => leadId);
}

test('a chunk that runs again, with another model, answers what it has written, and of its own leads only', async () => {
  await room.serve('1.0.0');
  const [one, other] = [await newLeads(), [...(await newLeads()), 'lead-of-nobody', '']];
  const [bulkId, jobId] = [uuid(), uuid()];
  const first = { lead_ids: one, first_position: 0 };
  const second = { lead_ids: other, first_position: one.length };
  const counts = { scored: other.length - 2, errors: { INVALID_LEAD_ID: 1, LEAD_NOT_FOUND: 1 } };
  expect(await room.runChunk(bulkId, first)).toEqual({ scored: one.length, errors: {} });
  expect(await room.runChunk(bulkId, second, { jobId })).toEqual(counts);
  const rows = await room.storedRows(bulkId);
  expect(rows.map(({ lead_id, position }) => [lead_id, position])).toEqual(
    [...one, ...other.slice(0, -1)].map((leadId, position) => [leadId, position]),
  );
  expect(await room.eventOf(jobId)).toMatchObject({
    model_version: '1.0.0',
    leads: other.length,
    errors: 2,
    cache_hits: 0,
    cache_misses: 0,
  });

  await room.serve('2.0.0', { intercept: 1 });
  expect(await room.runChunk(bulkId, second, { jobId, mayHaveRunBefore: true })).toEqual(counts);
  expect(await room.storedRows(bulkId)).toEqual(rows);
  expect(await room.cacheRequests('miss')).toBe(0);
});

test('forgotten leads share an id across chunks, and each chunk that runs again counts its own', async () => {
  await room.serve('1.0.0');
  const [one, other] = [await newLeads(), await newLeads()];
  const bulkId = uuid();
  const first = { lead_ids: [...one, forgotten], first_position: 0 };
  const second = { lead_ids: [forgotten, ...other, forgotten], first_position: one.length + 1 };
  const again = { mayHaveRunBefore: true };
  const ofFirst = { scored: one.length, errors: { LEAD_NOT_FOUND: 1 } };
  const ofSecond = { scored: other.length, errors: { LEAD_NOT_FOUND: 2 } };
  expect(await room.runChunk(bulkId, first)).toEqual(ofFirst);
  // Its first run ended before it had written anything.
  expect(await room.runChunk(bulkId, second, again)).toEqual(ofSecond);
  const rows = await room.storedRows(bulkId);
  expect(rows.map(({ lead_id }) => lead_id)).toEqual([...one, forgotten, ...other]);

  await room.serve('2.0.0', { intercept: 1 });
  expect(await room.runChunk(bulkId, second, again)).toEqual(ofSecond);
  expect(await room.runChunk(bulkId, first, again)).toEqual(ofFirst);
  expect(await room.storedRows(bulkId)).toEqual(rows);
});

test('two runs of a chunk at once write its rows once', async () => {
  await using other = await openLeadScoring({ beside: room });
  await room.serve('1.0.0');
  await other.serve('2.0.0', { intercept: 1 });
  const ids = await newLeads();
  const chunk = { lead_ids: ids, first_position: 0 };
  for (let round = 0; round < 5; round += 1) {
    const bulkId = uuid();
    const runs = [room.runChunk(bulkId, chunk), other.runChunk(bulkId, chunk, { mayHaveRunBefore: true })];
    expect(await Promise.all(runs)).toEqual([
      { scored: ids.length, errors: {} },
      { scored: ids.length, errors: {} },
    ]);
    const versions = (await room.storedRows(bulkId)).map(({ model_version }) => model_version);
    expect(versions).toHaveLength(ids.length);
    expect(new Set(versions).size).toBe(1);
  }
});

test('a chunk reads no leads before its turn, and a batch does not wait for one', async () => {
  await room.serve('1.0.0');
  const ids = await newLeads();
  const { promise: turnsAreOver, resolve: endTurns } = Promise.withResolvers<void>();
  const { chunkTurns, readLeads } = room.dependencies;
  const turns = Array.from({ length: chunkTurns.concurrency }, () => chunkTurns(() => turnsAreOver));
  let reads = 0;
  room.dependencies.readLeads = (leadIds) => {
    reads += 1;
    return readLeads(leadIds);
  };
  const chunk = room.runChunk(uuid(), { lead_ids: ids, first_position: 0 });
  expect((await room.run(ids)).predictions).toHaveLength(ids.length);
  expect([reads, chunkTurns.pendingCount]).toEqual([1, 1]);
  endTurns();
  await Promise.all(turns);
  expect(await chunk).toEqual({ scored: ids.length, errors: {} });
  expect(reads).toBe(2);
});

test('without a model a chunk is not done, unless none of its ids can be a lead', async () => {
  const chunk = { lead_ids: await newLeads(), first_position: 0 };
  await expect(room.runChunk(uuid(), chunk)).rejects.toBeInstanceOf(ModelNotReadyError);
  const invalid = { lead_ids: ['', ' '], first_position: 0 };
  expect(await room.runChunk(uuid(), invalid)).toEqual({ scored: 0, errors: { INVALID_LEAD_ID: 2 } });
});
