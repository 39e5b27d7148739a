import { openServing, type ServingRoom } from '../../support/open-serving.ts';
import { readSmallCausal, readSmallCausalBundle } from '../../support/small-causal.ts';

let serving: ServingRoom;
beforeAll(async () => {
  serving = await openServing({
    prepare: async (room) => room.promoteBundle(await readSmallCausalBundle()),
  });
});
afterAll(() => serving[Symbol.asyncDispose]());

const get = async (path: string) => (await fetch(`${serving.url}/v2${path}`)).json();
const infer = (body: unknown, path = '/models/small-causal') => serving.post(`/v2${path}/infer`, body);

interface Tensor {
  name: string;
  shape: number[];
  datatype: string;
  data: number[];
}
interface InferAnswer {
  outputs: Tensor[];
}

const inputs = [
  { name: 'rate', shape: [2], datatype: 'FP64', data: [2.5, -0.5] },
  { name: 'spread', shape: [2, 1], datatype: 'FP32', data: [[1.25], [2]] },
  { name: 'sector', shape: [2, 1], datatype: 'BYTES', data: ['other', 'banks'] },
];

test('the server and its models tell of themselves', async () => {
  expect(await get('')).toEqual({ name: 'presage', version: '2', extensions: [] });
  expect(await get('/health/live')).toEqual({ live: true });
  expect(await get('/health/ready')).toEqual({ ready: true });
  const { manifest } = await readSmallCausal();
  const metadata = {
    name: 'small-causal',
    versions: ['1.0.0'],
    platform: 'onnxruntime_onnx',
    inputs: [
      { name: 'rate', datatype: 'FP32', shape: [-1, 1] },
      { name: 'spread', datatype: 'FP32', shape: [-1, 1] },
      { name: 'sector', datatype: 'BYTES', shape: [-1, 1] },
    ],
    outputs: [
      { name: 'causal_effects', datatype: 'FP32', shape: [-1, manifest.outputs.treatments.length] },
      { name: 'regime_probabilities', datatype: 'FP32', shape: [-1, manifest.outputs.regimes.length] },
      { name: 'dominant_regime', datatype: 'INT64', shape: [-1, 1] },
      { name: 'uncertainty', datatype: 'FP32', shape: [-1, 1] },
    ],
  };
  expect(await get('/models/small-causal')).toEqual(metadata);
  expect(await get('/models/small-causal/versions/1.0.0')).toEqual(metadata);
  expect(await get('/models/small-causal/ready')).toEqual({ name: 'small-causal', ready: true });
});

test('infers what predict says, flat and with shapes', async () => {
  const rows = [
    { rate: 2.5, spread: 1.25, sector: 'other' },
    { rate: -0.5, spread: 2, sector: 'banks' },
  ];
  const predicted = (await (await serving.post('/predict/small-causal', rows)).json()) as Record<
    string,
    unknown[]
  >;
  const response = await infer({ id: 'request-7', inputs });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    model_name: 'small-causal',
    model_version: '1.0.0',
    id: 'request-7',
    outputs: [
      { name: 'causal_effects', datatype: 'FP32', shape: [2, 2], data: predicted['causal_effects']?.flat() },
      {
        name: 'regime_probabilities',
        datatype: 'FP32',
        shape: [2, 3],
        data: predicted['regime_probabilities']?.flat(),
      },
      { name: 'dominant_regime', datatype: 'INT64', shape: [2, 1], data: predicted['dominant_regime'] },
      { name: 'uncertainty', datatype: 'FP32', shape: [2, 1], data: predicted['uncertainty'] },
    ],
  });
});

test('answers only the outputs that are asked for, in their order', async () => {
  const outputs = [{ name: 'uncertainty' }, { name: 'causal_effects' }];
  const answer = (await (
    await infer({ inputs, outputs }, '/models/small-causal/versions/1.0.0')
  ).json()) as InferAnswer;
  expect(answer.outputs.map(({ name }) => name)).toEqual(['uncertainty', 'causal_effects']);
});

test('a column that is not sent can be imputed, and is told', async () => {
  const missing = await infer({ inputs: inputs.slice(0, 2) });
  expect(missing.status).toBe(400);
  expect(await missing.json()).toEqual({
    error: 'sector[0]: is missing, and the request does not ask to impute it (and 1 more)',
  });
  const imputed = await infer({ inputs: inputs.slice(0, 2), parameters: { missing: 'impute' } });
  expect(imputed.headers.get('x-presage-features')).toBe('imputed=("sector");count=1');
});

test.each([
  ['no inputs', { inputs: [] }],
  ['no rows', { inputs: [{ ...inputs[0], shape: [0], data: [] }] }],
  ['too few values', { inputs: [{ ...inputs[0], data: [1] }, ...inputs.slice(1)] }],
  ['rows that do not agree', { inputs: [{ ...inputs[0], shape: [1], data: [1] }, ...inputs.slice(1)] }],
  ['two values for one column', { inputs: [{ ...inputs[0], shape: [1, 2] }, ...inputs.slice(1)] }],
  ['a text in a column of numbers', { inputs: [{ ...inputs[0], data: ['2.5', 1] }, ...inputs.slice(1)] }],
  ['an unknown datatype', { inputs: [{ ...inputs[0], datatype: 'FLOAT' }, ...inputs.slice(1)] }],
  ['an unknown output', { inputs, outputs: [{ name: 'probability' }] }],
  [
    'one tensor for columns that are not all numbers',
    { inputs: [{ name: 'features', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }] },
  ],
])('400 with its own form of errors: %s', async (_title, body) => {
  const response = await infer(body);
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ error: expect.any(String) as string });
});

test('unknown models and versions are 404 in the same form', async () => {
  for (const path of ['/models/none', '/models/none/ready', '/models/small-causal/versions/9.9.9']) {
    const response = await fetch(`${serving.url}/v2${path}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: expect.any(String) as string });
  }
});
