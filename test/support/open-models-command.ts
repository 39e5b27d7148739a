import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Environment } from '../../shared/config/read-settings.ts';
import { prepareTables } from '../../shared/dynamodb/prepare-tables.ts';
import { openPrivateServers } from './open-private-servers.ts';
import { leadConversionFolder, openTestBundles, type TestBundles } from './open-test-bundles.ts';
import { runPresage, type CommandRun } from './run-presage.ts';

/** `presage models`, with servers of its own: on the channel of models nothing is to be heard of other tests. */
export interface ModelsCommand extends AsyncDisposable {
  dynamodbUrl: string;
  redisUrl: string;
  /** Has 2.0.0 from the start. */
  bundles: TestBundles;
  openRegistry(): Promise<ModelsRegistry>;
}

/** A registry of models, and a folder for their files: empty at first. */
export interface ModelsRegistry extends AsyncDisposable {
  /** Where the files of registered versions are. */
  artifacts: string;
  /** What the command line is started with to reach all of it. */
  environment: Environment;
  models(...argv: string[]): Promise<CommandRun>;
  /** Registers these versions: 1.0.0 is the one that comes with Presage, others are the bundles'. */
  registerAll(...versions: string[]): Promise<void>;
  /** The version that answers, as the list says. */
  champion(): Promise<unknown>;
  /** Where a file of a registered version is. */
  storedFile(version: string, name: string): Promise<string>;
}

export async function openModelsCommand(): Promise<ModelsCommand> {
  await using resources = new AsyncDisposableStack();
  const servers = resources.use(await openPrivateServers());
  const { url: dynamodbUrl } = await servers.startDynamodb();
  const { url: redisUrl } = await servers.startRedis();
  const bundles = resources.use(await openTestBundles());
  await bundles.add('2.0.0', { intercept: 0.1 });
  const owned = resources.move();
  let registries = 0;
  return {
    dynamodbUrl,
    redisUrl,
    bundles,
    async openRegistry() {
      registries += 1;
      const table = `models-${registries}`;
      await prepareTables({
        isConfigured: true,
        region: 'us-east-1',
        endpointUrl: dynamodbUrl,
        insightTableName: 'presage-insights',
        modelRegistryTableName: table,
        mayAskInstanceMetadata: false,
      });
      const artifacts = await mkdtemp(path.join(tmpdir(), 'presage-artifacts-'));
      const environment: Environment = {
        AWS_ENDPOINT_URL_DYNAMODB: dynamodbUrl,
        AWS_EC2_METADATA_DISABLED: 'true',
        MODEL_REGISTRY_TABLE: table,
        ARTIFACTS_URL: pathToFileURL(artifacts).href,
        REDIS_URL: redisUrl,
      };
      const models = (...argv: string[]) => runPresage(['models', ...argv], environment);
      return {
        artifacts,
        environment,
        models,
        async registerAll(...versions) {
          for (const version of versions) {
            const folder = version === '1.0.0' ? leadConversionFolder : bundleFolder(bundles, version);
            expect(await models('register', folder)).toMatchObject({ exitCode: 0, messages: '' });
          }
        },
        async champion() {
          const list = JSON.parse((await models('list', '--json')).output) as {
            models: { champion: unknown }[];
          };
          return list.models[0]?.champion;
        },
        async storedFile(version, name) {
          const folder = path.join(artifacts, 'models/lead-conversion', version);
          const [sha256 = ''] = await readdir(folder);
          return path.join(folder, sha256, name);
        },
        [Symbol.asyncDispose]: () => rm(artifacts, { recursive: true, force: true }),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Where a version is that was added to the bundles. */
export function bundleFolder(bundles: TestBundles, version: string): string {
  return path.dirname(bundles.pathOf({ version, manifestSha256: '' }, 'manifest.json'));
}
