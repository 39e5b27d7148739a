import { randomUUID } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { leadScoresSchema, leadScoring } from '../../../shared/contracts/lead-scoring.ts';
import { openLeadScoring, type LeadScoringRoom } from '../../support/open-lead-scoring.ts';
import { openPrivateServers } from '../../support/open-private-servers.ts';
import { readLeadConversion } from '../../support/open-test-bundles.ts';
import { byId, sampleLeads } from '../../support/sample-leads.ts';

let room: LeadScoringRoom;
beforeAll(async () => {
  room = await openLeadScoring();
  await room.serve('1.0.0');
});
afterAll(() => room[Symbol.asyncDispose]());

const newId = () => `lead-${randomUUID()}`;
const key = (leadId: string) => `ml:lead-score:${leadId}`;

test("every lead gets the trainer's probability, in the order of the request, with what document 004 names", async () => {
  const leads = await sampleLeads();
  await room.addLeads(byId(leads));
  const jobId = uuid();
  const result = await room.run(
    leads.map(({ leadId }) => leadId),
    { jobId },
  );
  expect(leadScoresSchema.parse(result)).toEqual(result);
  const { manifest } = await readLeadConversion();
  expect(result).toEqual({
    predictions: leads.map(({ leadId, probability }) => ({
      lead_id: leadId,
      probability: expect.closeTo(probability, 5),
      confidence: expect.any(Number),
      feature_coverage: 1,
      degraded: false,
    })),
    errors: [],
    schema_version: 'v1',
    contract_version: 1,
    model_id: 'lead-conversion',
    model_version: '1.0.0',
    model_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    calibration_metadata: manifest.calibration,
  });
  const rows = await room.storedRows(jobId);
  expect(rows.map(({ lead_id, probability, confidence }) => ({ lead_id, probability, confidence }))).toEqual(
    result.predictions.map(({ lead_id, probability, confidence }) => ({ lead_id, probability, confidence })),
  );
  expect(rows.map(({ position }) => position)).toEqual([...leads.keys()]);
  expect(rows[0]).toMatchObject({
    feature_coverage: 1,
    degraded: 0,
    error_code: null,
    model_id: 'lead-conversion',
    model_version: '1.0.0',
  });
});

test('one bad id never fails the others: each comes back once, as an error of its own', async () => {
  const [lead] = await sampleLeads();
  const leadId = lead?.leadId ?? '';
  const [unknown, text, list, tooLong] = [newId(), newId(), newId(), 'x'.repeat(129)];
  await room.addLeads({ [leadId]: lead?.features, [text]: 'no JSON', [list]: [1] });
  const jobId = uuid();
  const asked = ['', unknown, leadId, tooLong, text, ' a', 'a\u{0}', '\u{d800}', leadId, list, unknown, ''];
  const result = await room.run(asked, { jobId });
  expect(result.predictions).toMatchObject([{ lead_id: leadId }]);
  expect(result.errors.map(({ lead_id, code }) => `${lead_id} ${code}`)).toEqual([
    ' INVALID_LEAD_ID',
    `${unknown} LEAD_NOT_FOUND`,
    `${tooLong} INVALID_LEAD_ID`,
    `${text} FEATURE_REJECTED`,
    ' a INVALID_LEAD_ID',
    'a\u{0} INVALID_LEAD_ID',
    '\u{d800} INVALID_LEAD_ID',
    `${list} FEATURE_REJECTED`,
  ]);
  expect(result.errors.every(({ message }) => message.length > 10)).toBe(true);
  const rows = await room.storedRows(jobId);
  expect(rows.map((row) => [row.lead_id, row.position, row.probability === null, row.error_code])).toEqual([
    [unknown, 1, true, 'LEAD_NOT_FOUND'],
    [leadId, 2, false, null],
    [text, 4, true, 'FEATURE_REJECTED'],
    [list, 9, true, 'FEATURE_REJECTED'],
  ]);
  expect(await room.eventOf(jobId)).toMatchObject({ leads: 9, errors: 8, error_code: null });
});

test('ids that no lead can have are answered without a row', async () => {
  const jobId = uuid();
  const { predictions, errors, model_version } = await room.run(['', ' '], { jobId });
  expect([predictions, errors.length, model_version]).toEqual([[], 2, '1.0.0']);
  expect(await room.storedRows(jobId)).toEqual([]);
});

test('an id differs by case, and of one that ends with a space nobody knows anything', async () => {
  const leads = (await sampleLeads()).slice(0, 2);
  const id = newId();
  await room.addLeads({ [id]: leads[0]?.features, [id.toUpperCase()]: leads[1]?.features });
  const { predictions } = await room.run([id.toUpperCase(), id]);
  expect(predictions.map(({ probability }) => probability)).toEqual([
    expect.closeTo(leads[1]?.probability ?? 0, 5),
    expect.closeTo(leads[0]?.probability ?? 0, 5),
  ]);
  await room.database.db
    .insertInto('leads')
    .values({ lead_id: `${id}-x `, features: '{}', updated_at: new Date() })
    .execute();
  const { errors } = await room.run([`${id}-x`]);
  expect(errors).toMatchObject([{ code: 'LEAD_NOT_FOUND' }]);
});

test('a score of few inputs is marked, and says how few', async () => {
  const [lead] = await sampleLeads();
  const [few, none] = [newId(), newId()];
  const names = [
    'age',
    'job',
    'marital',
    'education',
    'default',
    'housing',
    'loan',
    'contact',
    'month',
    'pdays',
  ];
  const some = Object.fromEntries(names.map((name) => [name, lead?.features[name]]));
  await room.addLeads({ [few]: { ...some, euribor3m: 'NaN', 'nr.employed': null }, [none]: {} });
  const { predictions } = await room.run([few, none]);
  expect(predictions).toMatchObject([
    { lead_id: few, feature_coverage: expect.closeTo(10 / 19, 9), degraded: true },
    { lead_id: none, feature_coverage: 0, degraded: true },
  ]);
  await using strict = await openLeadScoring({ beside: room, minFeatureCoverage: 0.5 });
  await strict.serve('1.0.0');
  expect((await strict.run([few, none])).predictions).toMatchObject([
    { degraded: false },
    { degraded: true },
  ]);
});

test('two thousand leads in one batch, each with the score that it gets alone', async () => {
  const samples = await sampleLeads();
  const leads = Array.from({ length: 2_000 }, (_, index) => ({
    leadId: newId(),
    features: { ...samples[index % samples.length]?.features, age: 18 + (index % 70) },
  }));
  await room.addLeads(Object.fromEntries(leads.map(({ leadId, features }) => [leadId, features])));
  const ids = leads.map(({ leadId }) => leadId);
  const { predictions } = await room.run(ids);
  expect(predictions.map(({ lead_id }) => lead_id)).toEqual(ids);
  for (const place of [0, 255, 256, 1_999]) {
    await room.redis.del(key(ids[place] ?? ''));
    expect((await room.run([ids[place] ?? ''])).predictions).toEqual([predictions[place]]);
  }
});

test('a payload that is none is refused, and too large a batch', () => {
  const accepts = (payload: unknown) => leadScoring.payload.safeParse(payload).success;
  const ids = Array.from({ length: 2_001 }, (_, index) => `lead-${index}`);
  expect([[], 5, ['a', 5], [null], ids, undefined].map((leadIds) => accepts({ lead_ids: leadIds }))).toEqual(
    Array(6).fill(false),
  );
  expect([['a'], [''], ids.slice(1)].map((leadIds) => accepts({ lead_ids: leadIds }))).toEqual(
    Array(3).fill(true),
  );
});

describe('cache', () => {
  test('a score is kept for five minutes, and is good for its model and its features only', async () => {
    const [lead, other] = await sampleLeads();
    const leadId = lead?.leadId ?? '';
    await room.addLeads({ [leadId]: lead?.features });
    const [before, jobId] = [await room.cacheRequests('hit'), uuid()];
    const first = await room.run([leadId, newId()]);
    const second = await room.run([leadId, newId()], { jobId });
    expect(second.predictions).toEqual(first.predictions);
    expect((await room.cacheRequests('hit')) - before).toBe(1);
    expect(await room.eventOf(jobId)).toMatchObject({ cache_hits: 1, cache_misses: 0 });
    const ttlSeconds = await room.redis.ttl(key(leadId));
    expect(ttlSeconds).toBeGreaterThan(290);
    expect(ttlSeconds).toBeLessThanOrEqual(300);

    await room.addLeads({ [leadId]: other?.features });
    const changed = await room.run([leadId]);
    expect(changed.predictions[0]?.probability).toBeCloseTo(other?.probability ?? 0, 5);

    await using next = await openLeadScoring({ beside: room });
    await next.serve('2.0.0', { intercept: 1 });
    const [prediction] = (await next.run([leadId])).predictions;
    expect(prediction?.probability).toBeGreaterThan((changed.predictions[0]?.probability ?? 1) + 0.01);
  });

  test('what is no score is an error of the cache, and replaced', async () => {
    const [lead] = await sampleLeads();
    const leadId = lead?.leadId ?? '';
    await room.addLeads({ [leadId]: lead?.features });
    for (const text of ['none', '{}', '[]']) {
      await room.redis.set(key(leadId), text);
      const before = await room.cacheRequests('error');
      expect((await room.run([leadId])).predictions).toHaveLength(1);
      expect((await room.cacheRequests('error')) - before).toBe(1);
      expect(JSON.parse((await room.redis.get(key(leadId))) ?? '')).toHaveProperty('probability');
    }
  });

  test('while Redis is away, leads are scored without it', async () => {
    await using servers = await openPrivateServers();
    const redis = await servers.startRedis();
    await using apart = await openLeadScoring({ beside: room, redis: { kind: 'url', url: redis.url } });
    await apart.serve('1.0.0');
    const leads = await sampleLeads();
    await room.addLeads(byId(leads));
    const ids = leads.map(({ leadId }) => leadId);
    const { predictions } = await apart.run(ids);
    await redis.stop();
    expect((await apart.run(ids)).predictions).toEqual(predictions);
    expect(await apart.cacheRequests('error')).toBeGreaterThanOrEqual(ids.length);
    expect(await apart.cacheRequests('write_error')).toBeGreaterThanOrEqual(ids.length);
  });
});
