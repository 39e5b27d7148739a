import type { Environment } from '../../../shared/config/read-settings.ts';
import { bulkPredictionSchema, modelServing } from '../../../shared/contracts/model-serving.ts';
import { openArtifactStore } from '../../../shared/models/open-artifact-store.ts';
import { PayloadError } from '../../../shared/queue/enqueue.ts';
import { maxRowsPerFile } from '../../../workers/model-serving/read-rows.ts';
import { openModelRoom, type ModelRoom } from '../../support/open-model-room.ts';
import { openS3Server } from '../../support/open-s3-server.ts';
import { openServingWorker, type ServingWorker } from '../../support/open-serving-worker.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { readSmallCausal, readSmallCausalBundle, shiftedSmallCausal } from '../../support/small-causal.ts';
import { busyMachineMs, until } from '../../support/until.ts';

let models: ModelRoom;
let fleet: TestFleet;
beforeEach(async () => {
  models = await openModelRoom();
  fleet = await openTestFleet([modelServing]);
});
afterEach(async () => {
  await fleet[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
});

const row = { rate: 2.5, spread: 1.25, sector: 'other' };
const openWorker = (resources: AsyncDisposableStack, environment: Environment = {}): Promise<ServingWorker> =>
  openServingWorker(fleet, { ...models.environment, ...environment }, resources);
const announce = () => fleet.redis.client.publish(fleet.keys.modelsChannel(), 'small-causal');

async function settled(payload: unknown) {
  const { id } = await fleet.enqueue.enqueue(modelServing, payload, { replyTo: fleet.results.name });
  const record = await fleet.results.wait(id, busyMachineMs);
  if (!record) throw new Error('the job is not settled');
  return record;
}
async function linesOf(key: string): Promise<Record<string, unknown>[]> {
  const bytes = await models.stores.artifacts.read(key, { maxBytes: 10_000_000 });
  const text = Buffer.from(bytes ?? []).toString();
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('rows of the payload: a line for each, in order, with its own error where it has one', async () => {
  await models.promoteBundle(await readSmallCausalBundle());
  await using resources = new AsyncDisposableStack();
  const { url, check } = await openWorker(resources);
  expect(await check()).toEqual({ models: 'ok' });
  const { cases } = (await readSmallCausal()).manifest.golden;
  const rows = [...cases.map(({ input }) => input), { ...row, rate: null }, { rate: 1, note: 2 }];
  const { id, result } = await settled({ model_id: 'small-causal', rows });
  expect(result).toEqual({
    model_id: 'small-causal',
    model_version: '1.0.0',
    rows: cases.length + 2,
    scored: cases.length,
    rejected: 2,
    results_key: `predictions/${id}.ndjson`,
  });
  const lines = await linesOf(`predictions/${id}.ndjson`);
  expect(lines.map((line) => line['row'])).toEqual(rows.map((_row, place) => place));
  expect(lines.slice(-2)).toMatchObject([
    { error: { code: 'FEATURE_REJECTED', message: 'no usable value of rate (missing)' } },
    { error: { code: 'FEATURE_REJECTED', message: 'no usable value of spread (missing), sector (missing)' } },
  ]);
  const response = await fetch(`${url}/predict/small-causal`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(cases.map(({ input }) => input)),
  });
  const online = (await response.json()) as Record<string, unknown[]>;
  for (const field of ['causal_effects', 'regime_probabilities', 'dominant_regime', 'uncertainty']) {
    expect(lines.slice(0, cases.length).map((line) => line[field])).toEqual(online[field]);
  }
});

test('rows of a file in pieces, imputed where that is asked for', async () => {
  await models.promoteBundle(await readSmallCausalBundle());
  await using resources = new AsyncDisposableStack();
  await openWorker(resources);
  const rows = Array.from({ length: 2_500 }, (_nothing, place) =>
    JSON.stringify({ rate: (place % 60) / 10 }),
  );
  const text = [...rows, '', 'no JSON', '[1]', ''].join('\r\n');
  await models.stores.artifacts.write('inputs/rows.ndjson', Buffer.from(text));
  const payload = { model_id: 'small-causal', rows_key: 'inputs/rows.ndjson', missing: 'impute' };
  const { id, result } = await settled(payload);
  expect(result).toMatchObject({ rows: 2_502, scored: 2_500, rejected: 2 });
  const lines = await linesOf(`predictions/${id}.ndjson`);
  // One of the three columns is the row's own.
  expect(lines[0]?.['coverage']).toBeCloseTo(1 / 3);
  expect(lines.slice(-2)).toMatchObject([
    { row: 2_500, error: { code: 'NOT_AN_OBJECT' } },
    { row: 2_501, error: { code: 'NOT_AN_OBJECT' } },
  ]);
  // Rows that are the same are answered the same, in whatever piece they are.
  expect({ ...lines[2_460], row: 60 }).toEqual(lines[60]);
});

test('with GOLD_BUCKET the file of rows is looked for there', async () => {
  await models.promoteBundle(await readSmallCausalBundle());
  await using s3 = await openS3Server();
  const bucket = { kind: 'bucket' as const, bucket: 'gold', region: 'us-east-1', endpointUrl: s3.url };
  using gold = await openArtifactStore(bucket, { mayAskInstanceMetadata: false });
  await gold.prepare();
  await gold.write('rows.ndjson', Buffer.from(JSON.stringify(row)));
  await using resources = new AsyncDisposableStack();
  await openWorker(resources, { GOLD_BUCKET: 'gold', AWS_ENDPOINT_URL_S3: s3.url });
  const { result } = await settled({ model_id: 'small-causal', rows_key: 'rows.ndjson' });
  const { results_key: key } = bulkPredictionSchema.parse(result);
  expect(await linesOf(key)).toMatchObject([{ row: 0, dominant_regime: expect.any(Number) as number }]);
});

test.each([
  ['an unknown model', { model_id: 'none', rows: [{}] }, 'MODEL_UNKNOWN'],
  ['no file', { model_id: 'small-causal', rows_key: 'none.ndjson' }, 'ROWS_MISSING'],
  ['an empty file', { model_id: 'small-causal', rows_key: 'empty.ndjson' }, 'ROWS_EMPTY'],
  ['a file of too many rows', { model_id: 'small-causal', rows_key: 'many.ndjson' }, 'ROWS_TOO_LARGE'],
  ['a key out of the store', { model_id: 'small-causal', rows_key: '../rows' }, 'ARTIFACT_KEY_INVALID'],
])('fails for good: %s', async (_title, payload, code) => {
  await models.promoteBundle(await readSmallCausalBundle());
  await models.stores.artifacts.write('empty.ndjson', Buffer.from('\n\n'));
  await models.stores.artifacts.write('many.ndjson', Buffer.from('{}\n'.repeat(maxRowsPerFile + 1)));
  await using resources = new AsyncDisposableStack();
  await openWorker(resources);
  expect(await settled(payload)).toMatchObject({ state: 'failed', attempts: 1, error: { code } });
});

test.each([
  ['neither rows nor a key', { model_id: 'small-causal' }],
  ['both', { model_id: 'small-causal', rows: [{}], rows_key: 'x' }],
  ['no rows', { model_id: 'small-causal', rows: [] }],
  ['another field', { model_id: 'small-causal', rows: [{}], mising: 'impute' }],
  ['no id', { model_id: '../x', rows: [{}] }],
])('is refused when it is submitted: %s', async (_title, payload) => {
  await expect(fleet.enqueue.enqueue(modelServing, payload)).rejects.toThrow(PayloadError);
});

test('a job waits, unspent, for a model of which no version is promoted yet', async () => {
  const bundle = await shiftedSmallCausal('1.0.0', 1);
  await models.stores.registry.register({
    modelId: 'small-causal',
    version: '1.0.0',
    modelType: 'hybrid_causal_model',
    manifestSha256: bundle.manifestSha256,
  });
  await using resources = new AsyncDisposableStack();
  const { check } = await openWorker(resources);
  expect(await check()).toEqual({ models: 'degraded' });
  const { id } = await fleet.enqueue.enqueue(modelServing, { model_id: 'small-causal', rows: [row] });
  await until(() => fleet.logLines.some((line) => line.includes('No version of the model')));
  await models.promoteBundle(bundle);
  await announce();
  await until(async () => (await fleet.ledger.read(id))?.state === 'completed');
  expect(await fleet.ledger.read(id)).toMatchObject({ attempts: 1, result: { scored: 1 } });
});
