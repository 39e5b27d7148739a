import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { registeredPrefix } from '../../../shared/models/registered-bundle.ts';
import { openServing, type ServingRoom } from '../../support/open-serving.ts';
import { readSmallCausalBundle, shiftedSmallCausal } from '../../support/small-causal.ts';

const row = { rate: 2.5, spread: 1.25, sector: 'other' };
let serving: ServingRoom;
beforeEach(async () => {
  serving = await openServing();
});
afterEach(() => serving[Symbol.asyncDispose]());

async function firstEffect(): Promise<number> {
  const response = await serving.post('/predict/small-causal', row);
  const { causal_effects: effects } = (await response.json()) as { causal_effects: number[] };
  return effects[0] ?? Number.NaN;
}
const health = async () => {
  const response = await fetch(`${serving.url}/health`);
  return [response.status, ((await response.json()) as { status: string }).status];
};

test('a model that is registered later comes in, another version takes over, a broken one does not', async () => {
  const { room, models } = serving;
  expect(await health()).toEqual([200, 'degraded']);
  expect((await serving.post('/predict/small-causal', row)).status).toBe(404);

  await room.promoteBundle(await readSmallCausalBundle());
  await models.refresh('small-causal');
  expect(await health()).toEqual([200, 'healthy']);
  const before = await firstEffect();

  await room.promoteBundle(await shiftedSmallCausal('1.1.0', 2));
  await models.refresh('small-causal');
  expect(await firstEffect()).toBeCloseTo(before + 2, 5);

  const broken = await shiftedSmallCausal('1.2.0', 3);
  await room.promoteBundle(broken);
  const prefix = registeredPrefix({ ...broken, modelId: 'small-causal', version: '1.2.0' });
  const folder = fileURLToPath(room.environment['ARTIFACTS_URL'] ?? '');
  await rm(path.join(folder, prefix, 'model.onnx'));
  await models.refresh('small-causal');
  expect(await firstEffect()).toBeCloseTo(before + 2, 5);
  expect(await health()).toEqual([200, 'degraded']);
  expect(serving.logLines.some((line) => line.includes('model.onnx is missing'))).toBe(true);
});

test('a model that is registered but not promoted yet is no trouble of those that answer', async () => {
  const { room, models } = serving;
  await room.promoteBundle(await readSmallCausalBundle());
  await models.refresh('small-causal');
  await room.challenge('1.0.0');
  await models.refresh('lead-conversion');
  expect((await serving.post('/predict/lead-conversion', {})).status).toBe(503);
  expect(await health()).toEqual([200, 'healthy']);
});

test('a model without a version that answers is 503, and says when to try again', async () => {
  const { room, models } = serving;
  const bundle = await shiftedSmallCausal('1.0.0', 1);
  await room.promoteBundle(bundle);
  const folder = fileURLToPath(room.environment['ARTIFACTS_URL'] ?? '');
  await rm(path.join(folder, registeredPrefix({ ...bundle, modelId: 'small-causal', version: '1.0.0' })), {
    recursive: true,
  });
  await models.refresh('small-causal');
  const requests = [
    serving.post('/predict/small-causal', row),
    fetch(`${serving.url}/models/small-causal/info`),
    fetch(`${serving.url}/v2/models/small-causal`),
  ];
  for (const response of await Promise.all(requests)) {
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect(await (await serving.post('/predict/small-causal', row)).json()).toMatchObject({
    code: 'MODEL_NOT_READY',
  });
  expect(await (await fetch(`${serving.url}/models`)).json()).toEqual({ models: [] });
  expect((await fetch(`${serving.url}/v2/models/small-causal/ready`)).status).toBe(503);
  expect((await fetch(`${serving.url}/v2/health/ready`)).status).toBe(503);
  expect(await health()).toEqual([503, 'unhealthy']);
});

test('requests in hand are answered by the version that they began with', async () => {
  const { room, models } = serving;
  await room.promoteBundle(await readSmallCausalBundle());
  await models.refresh('small-causal');
  const before = await firstEffect();
  const asked = Array.from({ length: 200 }, () => firstEffect());
  await room.promoteBundle(await shiftedSmallCausal('1.1.0', 2));
  await models.refresh('small-causal');
  const after = await firstEffect();
  expect(after).toBeCloseTo(before + 2, 5);
  for (const effect of await Promise.all(asked)) expect([before, after]).toContain(effect);
});
