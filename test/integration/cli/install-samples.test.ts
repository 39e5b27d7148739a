import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { migrateStores } from '../../../producers/cli/migrate-stores.ts';
import { installSamples } from '../../../producers/cli/models/install-samples.ts';
import { withModelStores } from '../../../producers/cli/models/with-model-stores.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import type { RegisteredModel } from '../../../shared/models/model-registry.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';
import { leadConversionFolder, openTestBundles, type TestBundles } from '../../support/open-test-bundles.ts';
import { runPresage } from '../../support/run-presage.ts';

let servers: PrivateServers;
let emulator: EmbeddedServer;
let database: TestDatabase;
let bundles: TestBundles;
let samples: string;
beforeAll(async () => {
  servers = await openPrivateServers();
  emulator = await servers.startDynamodb();
  database = await createTestDatabase();
  bundles = await openTestBundles();
  await bundles.add('2.0.0', { intercept: 0.1 });
  samples = await mkdtemp(path.join(tmpdir(), 'presage-samples-'));
  await cp(leadConversionFolder, path.join(samples, 'lead-conversion/1.0.0'), { recursive: true });
});
afterAll(async () => {
  await rm(samples, { recursive: true, force: true });
  await bundles[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await servers[Symbol.asyncDispose]();
});

let registries = 0;
let artifacts: string;
let environment: Record<string, string>;
beforeEach(async () => {
  artifacts = await mkdtemp(path.join(tmpdir(), 'presage-artifacts-'));
  environment = {
    DATABASE_URL: database.url,
    AWS_ENDPOINT_URL_DYNAMODB: emulator.url,
    AWS_EC2_METADATA_DISABLED: 'true',
    MODEL_REGISTRY_TABLE: `models-${++registries}`,
    ARTIFACTS_URL: pathToFileURL(artifacts).href,
  };
  await migrateStores(environment);
});
afterEach(() => rm(artifacts, { recursive: true, force: true }));

async function install(folder?: string): Promise<string[]> {
  const told: string[] = [];
  await installSamples(environment, (line) => told.push(line), folder);
  return told;
}

const registered = (): Promise<RegisteredModel[]> =>
  withModelStores(environment, (stores) => stores.registry.list());

const secondVersion = () =>
  path.dirname(bundles.pathOf({ version: '2.0.0', manifestSha256: '' }, 'manifest.json'));

test('what comes with Presage answers at once, and is installed once', async () => {
  expect(await install()).toEqual([]);
  expect(await registered()).toMatchObject([
    { modelId: 'lead-conversion', champion: '1.0.0' },
    { modelId: 'macro-effects', champion: '1.0.0' },
  ]);
  const before = await registered();
  expect(await install()).toEqual([]);
  expect(await registered()).toEqual(before);
  expect((await runPresage(['models', 'verify'], environment)).exitCode).toBe(0);
});

test('several at once do it together', async () => {
  await Promise.all([install(samples), install(samples), install(samples)]);
  expect(await registered()).toMatchObject([{ champion: '1.0.0', revision: 1 }]);
});

test('a start that was broken off before the promotion is taken up again', async () => {
  await runPresage(['models', 'register', leadConversionFolder], environment);
  await install(samples);
  expect(await registered()).toMatchObject([{ champion: '1.0.0' }]);
});

test('a registry with models of somebody’s own is left alone', async () => {
  await runPresage(['models', 'register', secondVersion()], environment);
  await install(samples);
  expect(await registered()).toMatchObject([{ champion: undefined, versions: [{ version: '2.0.0' }] }]);
});

test('a sample that is not sound is told and left out', async () => {
  const spoilt = path.join(samples, 'spoilt/1.0.0');
  await cp(leadConversionFolder, spoilt, { recursive: true });
  await writeFile(path.join(spoilt, 'model.onnx'), 'no model');
  expect(await install(samples)).toEqual([
    expect.stringMatching(/spoilt\/1\.0\.0 is left out\. model\.onnx: has 8 bytes, the manifest says \d+\n$/),
  ]);
  expect(await registered()).toMatchObject([{ modelId: 'lead-conversion', champion: '1.0.0' }]);
});
