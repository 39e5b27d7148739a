import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { prepareTables } from '../../../shared/dynamodb/prepare-tables.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import { connectRedis } from '../../../shared/queue/connect-redis.ts';
import { hearModelChanges } from '../../../shared/queue/hear-model-changes.ts';
import { RedisKeys } from '../../../shared/queue/redis-keys.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';
import { leadConversionFolder, openTestBundles, type TestBundles } from '../../support/open-test-bundles.ts';
import { runPresage } from '../../support/run-presage.ts';
import { mainFile } from '../../support/run-up.ts';
import { until } from '../../support/until.ts';

let servers: PrivateServers;
let emulator: EmbeddedServer;
let redisUrl: string;
let bundles: TestBundles;
beforeAll(async () => {
  servers = await openPrivateServers();
  emulator = await servers.startDynamodb();
  // Its own: on the channel of models nothing is to be heard of other tests.
  redisUrl = (await servers.startRedis()).url;
  bundles = await openTestBundles();
  await bundles.add('2.0.0', { intercept: 0.1 });
  await bundles.add('3.0.0', { intercept: 0.2 });
});
afterAll(async () => {
  await bundles[Symbol.asyncDispose]();
  await servers[Symbol.asyncDispose]();
});

let registries = 0;
let artifacts: string;
beforeEach(async () => {
  registries += 1;
  artifacts = await mkdtemp(path.join(tmpdir(), 'presage-artifacts-'));
  await prepareTables({
    isConfigured: true,
    region: 'us-east-1',
    endpointUrl: emulator.url,
    insightTableName: 'presage-insights',
    modelRegistryTableName: `models-${registries}`,
    mayAskInstanceMetadata: false,
  });
});
afterEach(() => rm(artifacts, { recursive: true, force: true }));

const models = (...argv: string[]) =>
  runPresage(['models', ...argv], {
    AWS_ENDPOINT_URL_DYNAMODB: emulator.url,
    AWS_EC2_METADATA_DISABLED: 'true',
    MODEL_REGISTRY_TABLE: `models-${registries}`,
    ARTIFACTS_URL: pathToFileURL(artifacts).href,
    REDIS_URL: redisUrl,
  });

const folderOf = (version: string) =>
  version === '1.0.0'
    ? leadConversionFolder
    : path.dirname(bundles.pathOf({ version, manifestSha256: '' }, 'manifest.json'));

async function registerAll(...versions: string[]): Promise<void> {
  for (const version of versions) {
    expect(await models('register', folderOf(version))).toMatchObject({ exitCode: 0, messages: '' });
  }
}

async function champion(): Promise<unknown> {
  const list = JSON.parse((await models('list', '--json')).output) as { models: { champion: unknown }[] };
  return list.models[0]?.champion;
}

/** Where a file of a registered version is. */
async function storedFile(version: string, name: string): Promise<string> {
  const folder = path.join(artifacts, 'models/lead-conversion', version);
  const [sha256 = ''] = await readdir(folder);
  return path.join(folder, sha256, name);
}

async function flipLastByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(file, bytes);
}

test('registered, promoted and rolled back, and the list says so', async () => {
  expect((await models('list')).output).toBe('No model is registered.\n');
  expect((await models('register', leadConversionFolder)).output).toBe(
    'lead-conversion 1.0.0 is registered; `presage models promote lead-conversion 1.0.0` lets it answer.\n',
  );
  expect((await models('register', leadConversionFolder)).output).toBe(
    'lead-conversion 1.0.0 is registered already.\n',
  );
  await registerAll('2.0.0');
  expect(await champion()).toBeNull();
  expect(await models('promote', 'lead-conversion', '1.0.0')).toEqual({
    exitCode: 0,
    output: 'lead-conversion 1.0.0 is the champion.\n',
    messages: '',
  });
  expect((await models('promote', 'lead-conversion', '2.0.0')).output).toBe(
    'lead-conversion 2.0.0 is the champion; it was 1.0.0.\n',
  );
  expect((await models('promote', 'lead-conversion', '2.0.0')).output).toBe(
    'lead-conversion 2.0.0 is the champion already.\n',
  );
  expect((await models('rollback', 'lead-conversion')).output).toBe(
    'lead-conversion 1.0.0 is the champion again; it was 2.0.0.\n',
  );
  const again = await models('rollback', 'lead-conversion');
  expect(again).toMatchObject({ exitCode: 1, output: '' });
  expect(again.messages).toContain('lead-conversion has no former champion to go back to');

  const { output } = await models('list');
  expect(output).toMatch(/^MODEL +VERSION +TYPE +ALIAS +REGISTERED +SHA-256\n/);
  expect(output).toMatch(/^lead-conversion +1\.0\.0 +binary_classifier +champion +\d{4}-/m);
  expect(output).toMatch(/^lead-conversion +2\.0\.0 +binary_classifier {2,}\d{4}-/m);
});

test('a challenger is named and switched off again', async () => {
  await registerAll('1.0.0', '2.0.0');
  await models('promote', 'lead-conversion', '1.0.0');
  expect((await models('shadow', 'lead-conversion', '2.0.0')).output).toBe(
    'lead-conversion 2.0.0 is the challenger: it answers beside 1.0.0.\n',
  );
  expect((await models('list')).output).toMatch(/^lead-conversion +2\.0\.0 +binary_classifier +challenger/m);
  expect((await models('shadow', 'lead-conversion', '1.0.0')).exitCode).toBe(1);
  expect((await models('shadow', 'lead-conversion', '--off')).output).toBe(
    'lead-conversion has no challenger.\n',
  );
  expect((await models('list')).output).not.toContain('challenger');
  for (const wrong of [
    ['shadow', 'lead-conversion'],
    ['shadow', 'lead-conversion', '2.0.0', '--off'],
  ]) {
    expect(await models(...wrong)).toMatchObject({ exitCode: 2, output: '' });
  }
});

test('info tells what a version is: the champion, the newest, or the one that is named', async () => {
  await registerAll('1.0.0', '2.0.0');
  const schema = z.object({
    version: z.string(),
    alias: z.string().nullable(),
    sha256: z.string(),
    history: z.array(z.unknown()),
    manifest: z.object({ feature_columns: z.array(z.object({ name: z.string() })) }),
  });
  const info = async (...argv: string[]) =>
    schema.parse(JSON.parse((await models('info', 'lead-conversion', ...argv, '--json')).output));
  expect(await info()).toMatchObject({ version: '2.0.0', alias: null, history: [] });
  await models('promote', 'lead-conversion', '1.0.0');
  const served = await info();
  expect(served).toMatchObject({ version: '1.0.0', alias: 'champion' });
  expect(served.manifest.feature_columns).toHaveLength(19);
  expect(served.history).toHaveLength(1);
  expect(await info('2.0.0')).toMatchObject({ version: '2.0.0', alias: null });

  const { output } = await models('info', 'lead-conversion');
  expect(output).toContain('lead-conversion 1.0.0, binary_classifier\n');
  expect(output).toMatch(/^auc +0\.8/m);
  expect(output).toMatch(/^age +numeric +17 to 98 +38$/m);
  expect(output).toMatch(/^\d{4}-\S+ {2}promote {2}1\.0\.0$/m);
  for (const unknown of [['no-such-model'], ['lead-conversion', '9.9.9']]) {
    expect(await models('info', ...unknown)).toMatchObject({ exitCode: 1, output: '' });
  }
});

test('a flipped byte: verify names the file, and the version cannot be promoted', async () => {
  await registerAll('1.0.0', '2.0.0');
  const sound = await models('verify');
  expect(sound).toEqual({
    exitCode: 0,
    output: 'ok    lead-conversion 1.0.0\nok    lead-conversion 2.0.0\n',
    messages: '',
  });
  await flipLastByte(await storedFile('2.0.0', 'model.onnx'));
  const broken =
    /^fail {2}lead-conversion 2\.0\.0 {2}model\.onnx: has the SHA-256 [0-9a-f]{64}, the manifest says /m;
  const found = await models('verify');
  expect(found.exitCode).toBe(1);
  expect(found.output).toMatch(broken);
  expect(found.output).toContain('ok    lead-conversion 1.0.0\n');
  expect(found.messages).toBe('1 of 2 must not be served.\n');
  expect((await models('verify', 'lead-conversion', '1.0.0')).exitCode).toBe(0);
  const json = JSON.parse((await models('verify', 'lead-conversion', '2.0.0', '--json')).output) as unknown;
  expect(json).toMatchObject({
    ok: false,
    verified: [
      { model_id: 'lead-conversion', version: '2.0.0', ok: false, problems: [{ file: 'model.onnx' }] },
    ],
  });

  await models('promote', 'lead-conversion', '1.0.0');
  for (const argv of [
    ['promote', 'lead-conversion', '2.0.0'],
    ['shadow', 'lead-conversion', '2.0.0'],
  ]) {
    const refused = await models(...argv);
    expect(refused).toMatchObject({ exitCode: 1, output: '' });
    expect(refused.messages).toMatch(
      /^lead-conversion 2\.0\.0 must not be served:\n {2}model\.onnx: has the SHA-256 /,
    );
  }
  expect(await champion()).toBe('1.0.0');

  // Registering the same bundle again mends its files.
  await registerAll('2.0.0');
  expect((await models('verify')).exitCode).toBe(0);
});

test('a former champion that is broken is not gone back to', async () => {
  await registerAll('1.0.0', '2.0.0');
  await models('promote', 'lead-conversion', '1.0.0');
  await models('promote', 'lead-conversion', '2.0.0');
  await rm(await storedFile('1.0.0', 'reliability.svg'));
  const refused = await models('rollback', 'lead-conversion');
  expect(refused).toMatchObject({ exitCode: 1, output: '' });
  expect(refused.messages).toContain('reliability.svg: is missing');
  expect(await champion()).toBe('2.0.0');
});

test('a manifest that was rewritten is not what the registry knows', async () => {
  await registerAll('1.0.0');
  const file = await storedFile('1.0.0', 'manifest.json');
  const manifest = await readFile(file, 'utf8');
  await writeFile(file, manifest.replace('"tolerance": 1e-05', '"tolerance": 1e-03'));
  const { exitCode, output } = await models('verify');
  expect(exitCode).toBe(1);
  expect(output).toMatch(
    /^fail {2}lead-conversion 1\.0\.0 {2}manifest\.json: has the SHA-256 .*, the registry says /,
  );
  expect((await models('info', 'lead-conversion')).messages).toContain('manifest.json: has the SHA-256');
});

test('golden inputs that get another answer: the bundle is not even registered', async () => {
  await bundles.add('4.0.0', {
    change: (manifest) => {
      const [first, ...others] = manifest.golden.cases;
      const cases = first ? [{ ...first, expected: { probability: 0.75 } }, ...others] : [];
      return { ...manifest, golden: { ...manifest.golden, cases } };
    },
  });
  const mismatch =
    /model\.onnx: golden\.cases\[0\]: expected the probability 0\.75 within 0\.00001, got 0\.\d+/;
  const refused = await models('register', folderOf('4.0.0'));
  expect(refused).toMatchObject({ exitCode: 1, output: '' });
  expect(refused.messages).toMatch(mismatch);
  const verified = await models('verify', '--dir', folderOf('4.0.0'));
  expect(verified.exitCode).toBe(1);
  expect(verified.output).toMatch(mismatch);
  expect((await models('list')).output).toBe('No model is registered.\n');
});

test('verify looks at a folder without a registry', async () => {
  const verify = (folder: string) => runPresage(['models', 'verify', '--dir', folder, '--json'], {});
  const sound = await verify(leadConversionFolder);
  expect(sound.exitCode).toBe(0);
  expect(JSON.parse(sound.output)).toMatchObject({
    ok: true,
    verified: [{ model_id: 'lead-conversion', version: '1.0.0', ok: true, problems: [] }],
  });
  const empty = await verify(artifacts);
  expect(empty.exitCode).toBe(1);
  expect(JSON.parse(empty.output)).toEqual({
    ok: false,
    verified: [
      {
        model_id: null,
        version: null,
        sha256: null,
        ok: false,
        problems: [{ file: 'manifest.json', problem: 'is missing' }],
      },
    ],
  });
  expect(await verify('/no/such/folder')).toEqual({
    exitCode: 1,
    output: '',
    messages: 'There is no folder /no/such/folder.\n',
  });
  expect((await models('verify', 'lead-conversion', '--dir', '.')).exitCode).toBe(2);
});

test('running a model leaves nothing behind and reports to nobody', async () => {
  const temporary = await mkdtemp(path.join(artifacts, 'tmp-'));
  // A process of its own, without what the tests forbid for all of them.
  const { ORT_DISABLE_TELEMETRY: _, ...environment } = process.env;
  const child = spawn(process.execPath, [mainFile, 'models', 'verify', '--dir', leadConversionFolder], {
    cwd: temporary,
    env: { ...environment, TMPDIR: temporary },
    stdio: 'ignore',
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(await readdir(temporary)).toEqual([]);
});

test('a version is never another bundle’s', async () => {
  await registerAll('1.0.0');
  await bundles.add('1.0.0', { intercept: 0.5 });
  const other = path.dirname(bundles.pathOf({ version: '1.0.0', manifestSha256: '' }, 'manifest.json'));
  const refused = await models('register', other);
  expect(refused).toMatchObject({ exitCode: 1, output: '' });
  expect(refused.messages).toContain('lead-conversion 1.0.0 is registered with other content.');
  expect((await models('verify')).exitCode).toBe(0);
});

test('workers are told at once of each change, or told of that they are not', async () => {
  await registerAll('1.0.0', '2.0.0');
  const log = createLogger({ process: 'test', level: 'silent' });
  await using subscriber = connectRedis({ kind: 'url', url: redisUrl }, 'subscriber', log);
  const heard: string[] = [];
  hearModelChanges(subscriber.client, { keys: new RedisKeys(), log }, (modelId) => heard.push(modelId));
  await until(async () => (await subscriber.client.subscribe(new RedisKeys().modelsChannel())) === 1);
  const changes = [
    ['promote', 'lead-conversion', '1.0.0'],
    ['promote', 'lead-conversion', '2.0.0'],
    ['shadow', 'lead-conversion', '1.0.0'],
    ['rollback', 'lead-conversion'],
  ];
  for (const change of changes) expect(await models(...change)).toMatchObject({ exitCode: 0, messages: '' });
  await until(() => heard.length === changes.length);
  expect(new Set(heard)).toEqual(new Set(['lead-conversion']));
});

test.each(['', 'redis://127.0.0.1:1'])(
  'without a Redis (%j) a change is made, and when it is noticed is told',
  async (url) => {
    await registerAll('1.0.0');
    const run = await runPresage(['models', 'promote', 'lead-conversion', '1.0.0'], {
      AWS_ENDPOINT_URL_DYNAMODB: emulator.url,
      AWS_EC2_METADATA_DISABLED: 'true',
      MODEL_REGISTRY_TABLE: `models-${registries}`,
      ARTIFACTS_URL: pathToFileURL(artifacts).href,
      REDIS_URL: url,
      ML_CACHE_TTL_SECONDS: '120',
    });
    expect(run.exitCode).toBe(0);
    expect(run.messages).toBe(
      'The workers could not be told: Redis does not answer. They notice within 120 s (ML_CACHE_TTL_SECONDS).\n',
    );
    expect(await champion()).toBe('1.0.0');
  },
);

test('nothing says where models are: one line, exit 1', async () => {
  const without = (environment: Record<string, string>) => runPresage(['models', 'list'], environment);
  expect(await without({})).toMatchObject({
    exitCode: 1,
    messages: expect.stringMatching(/^Nothing says where the model registry is: .*\n$/),
  });
  expect(await without({ AWS_ENDPOINT_URL_DYNAMODB: emulator.url })).toMatchObject({
    exitCode: 1,
    messages: expect.stringMatching(/^Nothing says where the files of models are: .*\n$/),
  });
});
