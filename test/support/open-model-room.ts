import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Environment } from '../../shared/config/read-settings.ts';
import { prepareTables } from '../../shared/dynamodb/prepare-tables.ts';
import type { Bundle } from '../../shared/models/check-bundle.ts';
import type { RegisteredModel } from '../../shared/models/model-registry.ts';
import { openModelStores } from '../../shared/models/open-model-stores.ts';
import { registerBundle, type ModelStores } from '../../shared/models/registered-bundle.ts';
import { openPrivateServers } from './open-private-servers.ts';
import { openTestBundles } from './open-test-bundles.ts';
import { busyMachineMs } from './until.ts';

/** A registry of models in a DynamoDB emulator, with their files in a folder. */
export interface ModelRoom extends AsyncDisposable {
  stores: ModelStores;
  /** Where both are, as a process is told. */
  environment: Environment;
  /** Registers a version of the lead conversion model, by its calibration, and makes it the champion. */
  promote(version: string, intercept?: number): Promise<void>;
  /** The same, and makes it the challenger. */
  challenge(version: string, intercept?: number): Promise<void>;
  /** Registers a bundle and makes it the champion of its model. */
  promoteBundle(bundle: Bundle): Promise<void>;
}

export async function openModelRoom(): Promise<ModelRoom> {
  await using resources = new AsyncDisposableStack();
  const servers = resources.use(await openPrivateServers());
  const { url } = await servers.startDynamodb();
  const directory = await mkdtemp(path.join(tmpdir(), 'presage-artifacts-'));
  resources.defer(() => rm(directory, { recursive: true }));
  const dynamodb = {
    isConfigured: true,
    region: 'us-east-1',
    endpointUrl: url,
    insightTableName: 'presage-insights',
    modelRegistryTableName: 'presage-models',
    callTimeoutMs: busyMachineMs,
  };
  const aws = { mayAskInstanceMetadata: false };
  await prepareTables({ ...dynamodb, ...aws });
  const stores = resources.use(
    await openModelStores({ dynamodb, aws, artifacts: { kind: 'folder', directory } }),
  );
  const bundles = resources.use(await openTestBundles());

  async function add(bundle: Bundle): Promise<RegisteredModel> {
    await registerBundle(stores, bundle);
    const model = await stores.registry.read(bundle.manifest.model_id);
    if (!model) throw new Error('the model was registered a moment ago');
    return model;
  }
  async function register(version: string, intercept: number | undefined): Promise<RegisteredModel> {
    const added = await bundles.add(version, intercept === undefined ? {} : { intercept });
    const check = await bundles.source.bundle(added);
    if (!check.isSound) throw new Error(`the bundle of ${version} is not sound`);
    return add(check.bundle);
  }
  const owned = resources.move();
  return {
    stores,
    environment: {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL_DYNAMODB: url,
      ARTIFACTS_URL: pathToFileURL(directory).href,
    },
    async promote(version, intercept) {
      await stores.registry.promote(await register(version, intercept), version);
    },
    async challenge(version, intercept) {
      await stores.registry.setChallenger(await register(version, intercept), version);
    },
    async promoteBundle(bundle) {
      await stores.registry.promote(await add(bundle), bundle.manifest.version);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
