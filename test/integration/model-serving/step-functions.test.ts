import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../../shared/config/read-settings.ts';
import { modelServing } from '../../../shared/contracts/model-serving.ts';
import { findFreePort } from '../../../shared/embedded/find-free-port.ts';
import { registeredPrefix } from '../../../shared/models/registered-bundle.ts';
import { openModelRoom, type ModelRoom } from '../../support/open-model-room.ts';
import { openSfnServer, type SfnServer } from '../../support/open-sfn-server.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import type { StartedProcess } from '../../support/start-process.ts';
import { startServingProcess } from '../../support/start-serving-process.ts';
import { readSmallCausalBundle, shiftedSmallCausal } from '../../support/small-causal.ts';
import { until } from '../../support/until.ts';

let models: ModelRoom;
let fleet: TestFleet;
let sfn: SfnServer;
beforeEach(async () => {
  models = await openModelRoom();
  fleet = await openTestFleet([modelServing]);
  sfn = await openSfnServer();
  await models.promoteBundle(await readSmallCausalBundle());
});
afterEach(async () => {
  await sfn[Symbol.asyncDispose]();
  await fleet[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
});

/** The process itself, as a container of a state machine starts it. */
function start(environment: Environment = {}): StartedProcess {
  return startServingProcess(fleet, {
    ...models.environment,
    EXECUTION_MODE: 'step-functions',
    PIPELINE_EXECUTION_ID: 'execution-7',
    EXECUTION_START_TIME: '2026-11-21T10:00:00Z',
    TASK_TOKEN: 'token-1',
    AWS_ENDPOINT_URL_SFN: sfn.url,
    ...environment,
  });
}

interface Report {
  status: string;
  url: string;
  models: { model_id: string; version: string | null; problem: string | null }[];
}

test('loads, verifies, tells the state that waits, and serves', async () => {
  await using process = start();
  await until(() => process.stdout().includes('\n'), { withinMs: 45_000 });
  const report = JSON.parse(process.stdout()) as Report;
  expect(report).toEqual({
    status: 'ready',
    execution_id: 'execution-7',
    execution_start_time: '2026-11-21T10:00:00Z',
    url: expect.stringMatching(/^http:/) as string,
    models: [
      {
        model_id: 'small-causal',
        version: '1.0.0',
        sha256: (await readSmallCausalBundle()).manifestSha256,
        problem: null,
      },
    ],
    problem: null,
  });
  await until(() => sfn.calls.length === 1);
  const [call] = sfn.calls;
  expect(call).toMatchObject({ action: 'SendTaskSuccess', body: { taskToken: 'token-1' } });
  expect(JSON.parse(String(call?.body['output']))).toEqual(report);
  const response = await fetch(`${report.url}/predict/small-causal?missing=impute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(response.status).toBe(200);
});

test('a model that is only registered does not keep the others from starting', async () => {
  await models.challenge('1.0.0');
  await using process = start();
  await until(() => process.stdout().includes('\n'));
  expect(JSON.parse(process.stdout())).toMatchObject({
    status: 'ready',
    models: [{ model_id: 'small-causal', version: '1.0.0' }],
  });
});

test('a container that is started again after its state has ended serves all the same', async () => {
  sfn.failNext('TaskTimedOut');
  await using process = start();
  await until(() => process.stderr().includes('"msg":"ready"'));
  expect(process.stderr()).toContain('no state of the state machine waits');
});

test('a model that cannot be loaded fails the state and the process', async () => {
  const bundle = await shiftedSmallCausal('1.1.0', 1);
  await models.promoteBundle(bundle);
  const prefix = registeredPrefix({ ...bundle, modelId: 'small-causal', version: '1.1.0' });
  await rm(path.join(fileURLToPath(models.environment['ARTIFACTS_URL'] ?? ''), prefix, 'model.onnx'));
  await using process = start();
  expect(await process.ended).toBe(1);
  expect(JSON.parse(process.stdout())).toMatchObject({
    status: 'failed',
    models: [{ model_id: 'small-causal', version: null }],
  });
  expect(sfn.calls).toEqual([
    {
      action: 'SendTaskFailure',
      body: {
        taskToken: 'token-1',
        error: 'MODELS_NOT_READY',
        cause: 'small-causal: version 1.1.0 is refused: model.onnx is missing',
      },
    },
  ]);
});

test.each([
  ['its port is taken', () => ({ SERVING_PORT: new URL(sfn.url).port }), /EADDRINUSE/],
  ['nothing says where the artifacts are', () => ({ ARTIFACTS_URL: '' }), /ARTIFACTS_URL: not set/],
])('a start that fails before the models answer fails the state too: %s', async (_title, wrong, cause) => {
  await using process = start(wrong());
  expect(await process.ended).toBe(1);
  expect(JSON.parse(process.stdout())).toEqual({
    status: 'failed',
    execution_id: 'execution-7',
    execution_start_time: '2026-11-21T10:00:00Z',
    url: null,
    models: [],
    problem: expect.stringMatching(cause) as string,
  });
  expect(sfn.calls).toEqual([
    {
      action: 'SendTaskFailure',
      body: {
        taskToken: 'token-1',
        error: 'START_FAILED',
        cause: expect.stringMatching(cause) as string,
      },
    },
  ]);
});

test('a registry that does not answer fails the state', async () => {
  await using process = start({ AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${await findFreePort()}` });
  expect(await process.ended).toBe(1);
  expect(sfn.calls).toMatchObject([
    {
      action: 'SendTaskFailure',
      body: { error: 'MODELS_NOT_READY', cause: 'The registry of models could not be read' },
    },
  ]);
});

test('why it could not start is what its logs say last, also when nobody could be told', async () => {
  sfn.failNext('reset');
  await using process = start({ SERVING_PORT: new URL(sfn.url).port });
  expect(await process.ended).toBe(1);
  expect(process.stderr()).toMatch(/the state machine could not be told[^]*EADDRINUSE/);
});

test('without a token only standard output is told; standing alone, nobody is', async () => {
  await using untold = start({ TASK_TOKEN: '' });
  await using alone = start({ EXECUTION_MODE: 'standalone' });
  for (const { stderr } of [untold, alone]) await until(() => stderr().includes('"msg":"ready"'));
  expect(JSON.parse(untold.stdout())).toMatchObject({ status: 'ready' });
  expect(alone.stdout()).toBe('');
  expect(sfn.calls).toEqual([]);
});
