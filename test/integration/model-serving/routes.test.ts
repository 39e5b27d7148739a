import { createHash } from 'node:crypto';
import { smallCausalFolder, readSmallCausal, readSmallCausalBundle } from '../../support/small-causal.ts';
import { openServing, type ServingRoom } from '../../support/open-serving.ts';
import { sha256Of } from '../../../shared/models/file-problem.ts';
import { featuresHeaderName } from '../../../workers/model-serving/features-header.ts';

let serving: ServingRoom;
const row = { rate: 2.5, spread: 1.25, sector: 'other' };
const predict = (body: unknown, query = '') => serving.post(`/predict/small-causal${query}`, body);
const close = (value: number) => expect.closeTo(value, 5) as number;

beforeAll(async () => {
  serving = await openServing({
    prepare: async (room) => {
      await room.promoteBundle(await readSmallCausalBundle());
      await room.promote('1.0.0');
    },
  });
});
afterAll(() => serving[Symbol.asyncDispose]());

test('one row is answered with exactly the documented fields', async () => {
  const response = await predict(row);
  expect(response.status).toBe(200);
  expect(response.headers.get('x-presage-features')).toBeNull();
  const { manifest } = await readSmallCausal();
  const expected = manifest.golden.cases.find(({ input }) => input['rate'] === 2.5)?.expected;
  if (!expected) throw new Error('the row is a golden input');
  expect(await response.json()).toEqual({
    causal_effects: expected.causal_effects.map(close),
    model_type: 'hybrid_causal_model',
    n_samples: 1,
    n_features: 3,
    regime_probabilities: [expected.regime_probabilities.map(close)],
    dominant_regime: [expected.regime_probabilities.indexOf(Math.max(...expected.regime_probabilities))],
    uncertainty: [close(expected.uncertainty)],
  });
});

test('several rows are answered in order, each as it would be alone, to the last bit', async () => {
  const { manifest } = await readSmallCausal();
  const rows = manifest.golden.cases.map(({ input }) => input);
  const together = (await (await predict(rows)).json()) as Record<string, unknown[]>;
  const alone = await Promise.all(
    rows.map(async (each) => (await (await predict(each)).json()) as Record<string, unknown[]>),
  );
  expect(together['n_samples']).toBe(rows.length);
  expect(together['causal_effects']).toEqual(alone.map((answer) => answer['causal_effects']));
  for (const field of ['regime_probabilities', 'dominant_regime', 'uncertainty']) {
    expect(together[field]).toEqual(alone.flatMap((answer) => answer[field]));
  }
});

test('an array of one row is answered like the row', async () => {
  expect(await (await predict([row])).json()).toEqual(await (await predict(row)).json());
});

test('another kind of model answers its predictions', async () => {
  const response = await serving.post('/predict/lead-conversion?missing=impute', [{ age: 40 }, {}]);
  expect(await response.json()).toEqual({
    predictions: [expect.any(Number), expect.any(Number)],
    model_type: 'binary_classifier',
    n_samples: 2,
    n_features: 19,
  });
});

test.each([
  ['missing', { rate: 1, sector: 'banks' }, ['#/spread']],
  ['null', { ...row, rate: null }, ['#/rate']],
  ['a text for a number', { ...row, rate: '2.5' }, ['#/rate']],
  ['a number for a text', { ...row, sector: 3 }, ['#/sector']],
  ['an unknown category', { ...row, sector: 'shipping' }, ['#/sector']],
  ['an object', { ...row, rate: {} }, ['#/rate']],
  [
    'two rows of three',
    [{ ...row, rate: null }, row, { sector: 'banks' }],
    ['#/0/rate', '#/2/rate', '#/2/spread'],
  ],
  ['no object', [row, 5], ['#/1']],
  ['a list in a list', [[row]], ['#/0']],
  ['no row at all', [], ['#']],
])('422 names what is wrong: %s', async (_title, body, pointers) => {
  const response = await predict(body);
  expect(response.status).toBe(422);
  const problem = (await response.json()) as { code: string; errors: { pointer: string }[] };
  expect(problem.code).toBe('VALIDATION_ERROR');
  expect(problem.errors.map(({ pointer }) => pointer)).toEqual(pointers);
});

test('a number that is not finite, or that no float32 holds, is named', async () => {
  for (const number of ['1e999', '-1e999', '1e39']) {
    const body = `{"rate":${number},"spread":1,"sector":"banks"}`;
    const response = await serving.post('/predict/small-causal', undefined, { body });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ errors: [{ pointer: '#/rate' }] });
  }
});

test('?missing=impute fills by the manifest, and the header says what was done', async () => {
  const response = await predict({ sector: 'shipping', rate: 9, note: 1, 'a "note"': 2 }, '?missing=impute');
  expect(response.headers.get('x-presage-features')).toBe(
    String.raw`imputed=("spread" "sector");count=2, out_of_range=("rate");count=1, ignored=("note" "a \"note\"");count=2`,
  );
  // The manifest: 0.5 for the spread, other for the sector, and the rate is clipped to 6.
  const filled = await predict({ rate: 6, spread: 0.5, sector: 'other' });
  expect(await response.json()).toEqual(await filled.json());
  expect((await predict(row, '?missing=drop')).status).toBe(422);
});

test('a page of another origin may read what was done with its features', async () => {
  await using open = await openServing({ access: { corsOrigins: ['https://desk.example'] } });
  const response = await fetch(`${open.url}/models`, { headers: { origin: 'https://desk.example' } });
  expect(response.headers.get('access-control-expose-headers')).toMatch(new RegExp(featuresHeaderName, 'i'));
});

test('a single bad request does not fail those that come at the same time', async () => {
  const requests = Array.from({ length: 64 }, (_nothing, place) =>
    predict(place === 31 ? { ...row, rate: 'poison' } : { ...row, rate: place / 16 }),
  );
  const responses = await Promise.all(requests);
  const statuses = responses.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(63);
  expect(statuses[31]).toBe(422);
  for (const [place, response] of responses.entries()) {
    if (place === 31) continue;
    const alone = await predict({ ...row, rate: place / 16 });
    expect(await response.json()).toEqual(await alone.json());
  }
});

test('what is not JSON is 400, too many rows are 413, another method or path is 404', async () => {
  expect((await serving.post('/predict/small-causal', undefined, { body: '{' })).status).toBe(400);
  expect((await predict(Array.from({ length: 2_001 }, () => row))).status).toBe(413);
  expect((await fetch(`${serving.url}/predict/small-causal`)).status).toBe(404);
  const unknown = await serving.post('/predict/no-such-model', row);
  expect(unknown.status).toBe(404);
  expect(await unknown.json()).toMatchObject({ code: 'NOT_FOUND' });
});

test('the models are listed, described, and said to be well', async () => {
  const get = async (path: string) => (await fetch(`${serving.url}${path}`)).json();
  expect(await get('/models')).toEqual({
    models: [
      { model_id: 'lead-conversion', model_type: 'binary_classifier', version: '1.0.0' },
      { model_id: 'small-causal', model_type: 'hybrid_causal_model', version: '1.0.0' },
    ],
  });
  const { manifest } = await readSmallCausal();
  const { manifestBytes } = await readSmallCausalBundle();
  expect(smallCausalFolder).toContain(manifest.model_id);
  expect(await get('/models/small-causal/info')).toMatchObject({
    model_id: 'small-causal',
    model_type: 'hybrid_causal_model',
    version: '1.0.0',
    sha256: sha256Of(manifestBytes),
    n_features: 3,
    feature_columns: [
      { name: 'rate', type: 'numeric', min: -1, max: 6, mean: 2 },
      { name: 'spread', type: 'numeric', min: -1, max: 3, mean: 1 },
      { name: 'sector', type: 'categorical', vocabulary: ['banks', 'energy', 'other'] },
    ],
    treatments: manifest.outputs.treatments,
    regimes: manifest.outputs.regimes,
    uncertainty: manifest.outputs.uncertainty,
    effects: manifest.effects,
    metrics: manifest.metrics,
  });
  expect(await get('/models/lead-conversion/info')).toMatchObject({ calibration: { method: 'sigmoid' } });
  expect((await fetch(`${serving.url}/models/no-such-model/info`)).status).toBe(404);
  expect(await get('/health')).toEqual({
    status: 'healthy',
    models_loaded: 2,
    models: [
      { model_id: 'lead-conversion', status: 'ready', version: '1.0.0' },
      { model_id: 'small-causal', status: 'ready', version: '1.0.0' },
    ],
  });
  expect(Object.keys(((await get('/openapi.json')) as { paths: object }).paths)).toEqual(
    expect.arrayContaining(['/health', '/models', '/models/{model_id}/info', '/predict/{model_id}']),
  );
});

test('with keys, all but the health needs one with the right scope', async () => {
  const keys = [
    {
      name: 'reader',
      scopes: new Set(['read' as const]),
      sha256: createHash('sha256').update('secret').digest(),
    },
  ];
  await using guarded = await openServing({
    prepare: async (room) => room.promoteBundle(await readSmallCausalBundle()),
    access: { keys },
  });
  const headers = { 'x-api-key': 'secret' };
  expect((await fetch(`${guarded.url}/health`)).status).toBe(200);
  expect((await fetch(`${guarded.url}/models`)).status).toBe(401);
  expect((await fetch(`${guarded.url}/models`, { headers })).status).toBe(200);
  expect((await guarded.post('/predict/small-causal', row, { headers })).status).toBe(403);
  expect(await (await fetch(`${guarded.url}/v2/models/small-causal`)).json()).toEqual({
    error: 'This route needs an API key.',
  });
  expect((await fetch(`${guarded.url}/v2/health/ready`)).status).toBe(200);
});
