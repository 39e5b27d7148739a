import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runFilePath, writeRunFile } from '../../../shared/config/run-file.ts';
import { findFreePort } from '../../../shared/embedded/find-free-port.ts';
import { openLocalServer } from '../../../shared/emulators/open-local-server.ts';
import { sha256Of } from '../../../shared/models/file-problem.ts';
import { parseManifest } from '../../../shared/models/parse-manifest.ts';
import { processIdentity } from '../../../shared/process/process-identity.ts';
import type { ModelRoom } from '../../support/open-model-room.ts';
import { openServing } from '../../support/open-serving.ts';
import { runPresage } from '../../support/run-presage.ts';
import { openSmokeApi, runSmoke } from '../../support/run-smoke.ts';
import { readSmallCausalBundle } from '../../support/small-causal.ts';

const smallCausalRow = { rate: 2.5, spread: 1.25, sector: 'other' };

/** The findings about the models, of which an API without workers says nothing. */
async function smokeModels(url: string, modelsUrl: string): Promise<string[]> {
  const { lines } = await runSmoke(url, ['--timeout', '1', '--models-url', modelsUrl]);
  return lines.filter((line) => line.includes(' 003 '));
}

/** A model with columns for which no strategy fills anything in. */
async function promoteDemanding(room: ModelRoom): Promise<void> {
  const bundle = await readSmallCausalBundle();
  const columns = bundle.manifest.feature_columns.map((column) => ({
    ...column,
    missing: { strategy: 'reject' as const },
  }));
  const manifestBytes = Buffer.from(JSON.stringify({ ...bundle.manifest, feature_columns: columns }));
  const manifest = parseManifest(manifestBytes);
  await room.promoteBundle({ ...bundle, manifest, manifestBytes, manifestSha256: sha256Of(manifestBytes) });
}

test('the fleet of the folder is asked for its models too, whichever they are', async () => {
  await using resources = new AsyncDisposableStack();
  const { url } = await openSmokeApi(resources);
  const serving = resources.use(await openServing({ prepare: promoteDemanding }));
  const folder = await mkdtemp(join(tmpdir(), 'presage-smoke-'));
  resources.defer(() => rm(folder, { recursive: true }));
  writeRunFile(runFilePath(folder), {
    api: url,
    model_serving: serving.url,
    dashboard: '',
    redis: '',
    mysql: '',
    dynamodb: '',
    artifacts: '',
    health: {},
    pids: {},
    up: { pid: process.pid, identity: processIdentity(process.pid) ?? '' },
  });
  const run = await runPresage(['smoke', '--timeout', '1'], {}, { workingDirectory: folder });
  expect(run.output).toContain('small-causal 1.0.0: 3 features, 2 treatments, 3 regimes');
  expect(run.output).toMatch(/ok +003 several rows +n_samples 2, n_features 3/);
  // Of another fleet than the one that is named.
  const named = await runPresage(['smoke', '--timeout', '1', '--url', url], {}, { workingDirectory: folder });
  expect(named.output).toMatch(/warn +003 models +skipped/);
});

test('without a causal model the example is asked of none; without a model process nothing is', async () => {
  await using resources = new AsyncDisposableStack();
  const { url } = await openSmokeApi(resources);
  const serving = resources.use(await openServing());
  expect(await smokeModels(url, serving.url)).toEqual([
    expect.stringMatching(/^warn 003 health: no model is registered/),
    expect.stringMatching(/^warn 003 models: none: no hybrid_causal_model answers.*presage models promote/),
    'ok 003 unknown model: a model that is not registered is 404',
  ]);
  const nobody = `http://127.0.0.1:${await findFreePort()}`;
  expect(await smokeModels(url, nobody)).toEqual([
    expect.stringMatching(
      /^fail 003 health: nothing listens at .*\. Start the process model-serving there, or correct --models-url\.$/,
    ),
  ]);
});

test('answers of models that are not the documented ones fail', async () => {
  await using resources = new AsyncDisposableStack();
  const { url } = await openSmokeApi(resources);
  const serving = resources.use(
    await openServing({ prepare: async (room) => room.promoteBundle(await readSmallCausalBundle()) }),
  );
  const described = new Map<string, string>();
  for (const path of ['/health', '/models', '/models/small-causal/info']) {
    described.set(path, await (await fetch(`${serving.url}${path}`)).text());
  }
  // What every row and every model is answered with: one row's answer, and a field that is not documented.
  let prediction = await (await serving.post('/predict/small-causal', smallCausalRow)).text();
  const spoilt = resources.use(
    await openLocalServer({
      handle: ({ url: path = '' }, _body, response) =>
        response.setHeader('content-type', 'application/json').end(described.get(path) ?? prediction),
    }),
  );
  expect((await smokeModels(url, spoilt.url)).filter((line) => !line.startsWith('ok '))).toEqual([
    expect.stringMatching(/^fail 003 several rows: n_samples: 1 in place of 2/),
    expect.stringMatching(/^fail 003 not valid: it was taken \(200\); it must be refused with 422/),
    expect.stringMatching(/^fail 003 unknown model: it was taken \(200\); it must be refused with 404/),
  ]);
  prediction = prediction.replace('{', '{"confidence":1,');
  expect(await smokeModels(url, spoilt.url)).toContainEqual(
    expect.stringMatching(/^fail 003 predict: the answer has another form: .*"confidence"/),
  );
});
