import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { leadScoring } from '../../../shared/contracts/lead-scoring.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import type { JobRecord } from '../../../shared/ledger/job-record.ts';
import { writeLeads } from '../../../shared/leads/write-leads.ts';
import type { JobContext } from '../../../shared/queue/job-context.ts';
import { finishLeadScoring, startLeadScoring } from '../../../workers/lead-scoring/handle-lead-scoring.ts';
import type { LeadScoringDependencies } from '../../../workers/lead-scoring/score-and-record.ts';
import { apiOptions } from '../../support/api-options.ts';
import { openLeadScoring, type LeadScoringRoom } from '../../support/open-lead-scoring.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { sampleLeads } from '../../support/sample-leads.ts';
import { until } from '../../support/until.ts';

let fleet: TestFleet;
let room: LeadScoringRoom;
let server: HttpServer;
beforeEach(async () => {
  fleet = await openTestFleet([leadScoring]);
  room = await openLeadScoring({ databaseSettings: fleet.databaseSettings });
  await room.serve('1.0.0');
  server = await buildServer(apiOptions(fleet, { queues: [leadScoring.name] }));
});
afterEach(async () => {
  await server.close();
  await fleet[Symbol.asyncDispose]();
  await room[Symbol.asyncDispose]();
});

/** Writes that many new leads; answers their ids. */
async function newLeads(count: number): Promise<string[]> {
  const samples = await sampleLeads();
  const rows = Array.from({ length: count }, (_, index) => ({
    lead_id: `lead-${randomUUID()}`,
    features: JSON.stringify(samples[index % samples.length]?.features),
    updated_at: new Date(),
  }));
  await writeLeads(fleet.database.db, rows);
  return rows.map(({ lead_id }) => lead_id);
}

/** The worker; `before` runs first and may throw or wait. */
function consume(before: (context: JobContext) => Promise<void> = () => Promise.resolve()) {
  const dependencies: LeadScoringDependencies = room.dependencies;
  return fleet.consume(leadScoring, {
    async start(payload, context) {
      await before(context);
      return startLeadScoring(payload, context, dependencies);
    },
    finish: finishLeadScoring,
  });
}

function post(payload: string | object, headers: Record<string, string> = {}) {
  return server.inject({
    method: 'POST',
    url: '/v1/lead-scores',
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    headers: { 'content-type': 'application/json', ...headers },
  });
}

const acceptedSchema = z.object({ job_id: z.uuid() });

async function accepted(payload: string | object, headers: Record<string, string> = {}): Promise<string> {
  const response = await post(payload, headers);
  expect([response.statusCode, response.body]).toEqual([202, expect.any(String)]);
  return acceptedSchema.parse(response.json()).job_id;
}

const lineSchema = z.looseObject({ lead_id: z.string(), code: z.string().optional() });

async function results(jobId: string) {
  const response = await server.inject({ url: `/v1/lead-scores/${jobId}` });
  expect(response.headers['content-type']).toBe('application/x-ndjson');
  return response.body
    .split('\n')
    .slice(0, -1)
    .map((line) => lineSchema.parse(JSON.parse(line)));
}

async function settled(jobId: string) {
  await until(async () => (await fleet.ledger.read(jobId))?.state === 'completed');
  return (await fleet.ledger.read(jobId))?.result;
}

async function chunksOf(jobId: string): Promise<JobRecord[]> {
  const chunks: JobRecord[] = [];
  for await (const chunk of fleet.ledger.children(jobId)) chunks.push(chunk);
  return chunks;
}

test('leads are scored in chunks, each once, and read in the order of the request', async () => {
  const known = await newLeads(4_500);
  const unknown = `lead-${randomUUID()}`;
  const ids = [...known.slice(0, 10), '', unknown, ...known];
  const jobId = await accepted(ids);
  consume();
  expect(await settled(jobId)).toEqual({
    total: 4_502,
    scored: 4_500,
    errors: { INVALID_LEAD_ID: 1, LEAD_NOT_FOUND: 1 },
    failed_chunks: 0,
    results_url: `/v1/lead-scores/${jobId}`,
  });
  const lines = await results(jobId);
  expect(lines.map(({ lead_id }) => lead_id)).toEqual([...new Set(ids)]);
  expect(lines.slice(10, 12)).toEqual([
    { lead_id: '', code: 'INVALID_LEAD_ID', message: expect.any(String) },
    { lead_id: unknown, code: 'LEAD_NOT_FOUND', message: expect.any(String) },
  ]);
  const direct = await room.run(known.slice(0, 5));
  expect(lines.slice(0, 5)).toEqual(
    direct.predictions.map((prediction) => ({ ...prediction, model_version: '1.0.0' })),
  );

  const chunks = await chunksOf(jobId);
  expect(chunks.map(({ priority, childPosition }) => [priority, childPosition])).toEqual([
    [10, 0],
    [10, 1],
    [10, 2],
  ]);
  const rows = await room.storedRows(jobId);
  expect(rows.map(({ lead_id }) => lead_id)).toEqual(
    [...new Set(ids)].slice(0, 10).concat(unknown, known.slice(10)),
  );
  expect(rows.at(-1)?.position).toBe(4_501);
  // Nobody asks for these again within five minutes.
  expect(await room.redis.exists(`ml:lead-score:${known[4_000]}`)).toBe(0);
});

test.each([
  ['an object', (ids: string[]) => JSON.stringify({ lead_ids: ids }), 'application/json; charset=utf-8'],
  [
    'lines of texts',
    (ids: string[]) => ids.map((id) => JSON.stringify(id)).join('\r\n'),
    'application/x-ndjson',
  ],
  [
    'lines of objects',
    (ids: string[]) => `${ids.map((lead_id) => JSON.stringify({ lead_id })).join('\n\n')}\n`,
    'application/x-ndjson',
  ],
])('takes %s', async (_name, write, type) => {
  // Two bytes and more each, so that a piece of the body ends within one.
  const ids = Array.from({ length: 5_000 }, (_, index) => `Ünïcødé-🚀-${index}`);
  const jobId = await accepted(write(ids), { 'content-type': type });
  const chunks = await chunksOf(jobId);
  expect(chunks.map(({ payload }) => payload)).toEqual([
    { lead_ids: ids.slice(0, 2_000), first_position: 0 },
    { lead_ids: ids.slice(2_000, 4_000), first_position: 2_000 },
    { lead_ids: ids.slice(4_000), first_position: 4_000 },
  ]);
  expect(await fleet.ledger.read(jobId)).toMatchObject({
    payload: { total: 5_000, chunks: 3 },
    state: 'accepted',
    phase: 'children',
  });
});

test('what is settled is read, and counted as progress, while the rest is open', async () => {
  const ids = await newLeads(4_001);
  const open = Promise.withResolvers<void>();
  const jobId = await accepted(ids);
  const [, second] = await chunksOf(jobId);
  consume(({ jobId: chunk }) => (chunk === second?.id ? open.promise : Promise.resolve()));
  await until(async () => (await fleet.ledger.childProgress(jobId)).done === 2);
  const lines = await results(jobId);
  expect(lines.map(({ lead_id }) => lead_id)).toEqual([...ids.slice(0, 2_000), ...ids.slice(4_000)]);
  const view = (await server.inject({ url: `/v1/jobs/${jobId}` })).json<Record<string, unknown>>();
  expect(view).toMatchObject({ state: 'running', progress: { done: 2, total: 3 }, result: null });
  open.resolve();
  await settled(jobId);
  expect(await results(jobId)).toHaveLength(4_001);
});

test('a chunk that fails is counted, with each of its leads, and takes nothing from the others', async () => {
  const ids = await newLeads(2_100);
  const jobId = await accepted(ids);
  const [first] = await chunksOf(jobId);
  consume(({ jobId: chunk }) =>
    chunk === first?.id
      ? Promise.reject(new JobError('permanent', 'It cannot be', { code: 'BROKEN' }))
      : Promise.resolve(),
  );
  expect(await settled(jobId)).toMatchObject({
    total: 2_100,
    scored: 100,
    errors: { NOT_SCORED: 2_000 },
    failed_chunks: 1,
  });
  const lines = await results(jobId);
  expect(lines.map(({ lead_id }) => lead_id)).toEqual(ids);
  expect(lines.filter(({ code }) => code === 'NOT_SCORED')).toHaveLength(2_000);
  expect(lines[0]).toMatchObject({ message: expect.stringContaining('It cannot be') });
});

test('a cancelled bulk is cancelled with its chunks, and opened again with those that are not done', async () => {
  const ids = await newLeads(2_001);
  const jobId = await accepted(ids);
  const cancelled = await server.inject({ method: 'POST', url: `/v1/jobs/${jobId}/cancel` });
  expect(cancelled.json()).toMatchObject({ state: 'cancelled' });
  expect((await chunksOf(jobId)).map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
  consume();
  fleet.startRelay();
  await server.inject({ method: 'POST', url: `/v1/jobs/${jobId}/retry` });
  expect(await settled(jobId)).toMatchObject({ scored: 2_001, errors: {}, failed_chunks: 0 });
  expect((await results(jobId)).map(({ lead_id }) => lead_id)).toEqual(ids);
});

test('an idempotency key makes one bulk of the same ids, and refuses others', async () => {
  const ids = Array.from({ length: 2_500 }, (_, index) => `lead-${index}`);
  const headers = { 'idempotency-key': randomUUID() };
  const jobs = await Promise.all([accepted(ids, headers), accepted(ids, headers), accepted(ids, headers)]);
  expect(new Set(jobs).size).toBe(1);
  expect(await accepted({ lead_ids: ids }, headers)).toBe(jobs[0]);
  expect(await fleet.ledger.list({ limit: 10 })).toHaveLength(3);
  const other = await post(ids.slice(1), headers);
  expect(other.json()).toMatchObject({ status: 422, code: 'IDEMPOTENCY_MISMATCH' });
});

const ndjson = { 'content-type': 'application/x-ndjson' };
test.each([
  ['no ids', '[]', {}, 422, 'VALIDATION_ERROR', ''],
  ['ids that are no list', '{"lead_ids": 5}', {}, 422, 'VALIDATION_ERROR', '#/lead_ids'],
  ['neither a list nor an object', '5', {}, 422, 'VALIDATION_ERROR', ''],
  ['an id that is no text', '["a", 5]', {}, 422, 'VALIDATION_ERROR', '#/1'],
  ['a text that is far too long', `["${'a'.repeat(100_000)}"]`, {}, 422, 'VALIDATION_ERROR', '#/0'],
  ['half of a body', '["a"', {}, 400, 'INVALID_JSON', ''],
  ['no body', '', {}, 400, 'INVALID_JSON', ''],
  ['empty lines', '\n\n', ndjson, 422, 'VALIDATION_ERROR', ''],
  ['a line that is not JSON', '"a"\n"b', ndjson, 400, 'INVALID_JSON', 'Line 2'],
  ['a line without a lead_id', '"a"\n{"id":"b"}', ndjson, 422, 'VALIDATION_ERROR', '#/1'],
  ['a line without an end', `"${'a'.repeat(2_000_000)}`, ndjson, 422, 'VALIDATION_ERROR', 'Line 1'],
  ['another type', 'a', { 'content-type': 'text/csv' }, 415, 'UNSUPPORTED_MEDIA_TYPE', ''],
])('refuses %s', async (_name, body, headers, status, code, detail) => {
  const response = await post(body, headers);
  expect(response.json()).toMatchObject({ status, code, detail: expect.stringContaining(detail) });
  expect(await fleet.ledger.list({ limit: 1 })).toEqual([]);
});

describe('over the wire', () => {
  const problemSchema = z.object({ status: z.number(), code: z.string(), detail: z.string() });

  /** Sends lines of NDJSON without saying how many there will be. */
  async function send(lines: Iterable<string>): Promise<z.output<typeof problemSchema>> {
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    const response = await fetch(`${url}/v1/lead-scores`, {
      method: 'POST',
      headers: ndjson,
      body: ReadableStream.from(
        Readable.from(lines, { objectMode: true }).map((line) => Buffer.from(String(line))),
      ),
      duplex: 'half',
    });
    return problemSchema.parse(await response.json());
  }

  function* repeated(line: (index: number) => string, count: number): Generator<string> {
    for (let index = 0; index < count; index += 1) yield line(index);
  }

  test('more than a million ids are too many', async () => {
    const thousand = (index: number) =>
      Array.from({ length: 1_000 }, (_, place) => `"${(index * 1_000 + place).toString(36)}"\n`).join('');
    const problem = await send([...repeated(thousand, 1_000), '"one more"\n']);
    expect(problem).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
    expect(problem.detail).toContain('1,000,000');
    expect(await fleet.ledger.list({ limit: 1 })).toEqual([]);
  });

  test('more than 64 MiB are too much', async () => {
    const mebibyte = '\n'.repeat(1024 * 1024);
    const problem = await send(repeated(() => mebibyte, 65));
    expect(problem).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
    expect(problem.detail).toContain('64 MiB');
  });
});

test('the description of the API names both forms, both types and the lines', async () => {
  const text = (await server.inject({ url: '/openapi.json' })).body;
  const recordSchema = z.record(z.string(), z.unknown());
  const { paths } = z
    .object({ paths: z.record(z.string(), z.record(z.string(), recordSchema)) })
    .parse(JSON.parse(text));
  const body = JSON.stringify(paths['/v1/lead-scores']?.['post']?.['requestBody']);
  for (const part of ['application/json', 'application/x-ndjson', 'lead_ids']) expect(body).toContain(part);
  const answer = JSON.stringify(paths['/v1/lead-scores/{job_id}']?.['get']);
  for (const part of ['application/x-ndjson', 'NOT_SCORED', 'model_version']) expect(answer).toContain(part);
});

test('there is nothing to read of a job that is no bulk', async () => {
  const { id } = await fleet.enqueue.enqueue(leadScoring, { lead_ids: ['a'] });
  for (const job of [id, randomUUID(), 'x']) {
    const response = await server.inject({ url: `/v1/lead-scores/${job}` });
    expect(response.json()).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  }
});
