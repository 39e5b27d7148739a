import { z } from 'zod';
import { connectRedis } from '../../../shared/queue/connect-redis.ts';
import { hearModelChanges } from '../../../shared/queue/hear-model-changes.ts';
import { RedisKeys } from '../../../shared/queue/redis-keys.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import {
  bundleFolder,
  openModelsCommand,
  type ModelsCommand,
  type ModelsRegistry,
} from '../../support/open-models-command.ts';
import { leadConversionFolder } from '../../support/open-test-bundles.ts';
import { runPresage } from '../../support/run-presage.ts';
import { until } from '../../support/until.ts';

let command: ModelsCommand;
let registry: ModelsRegistry;
beforeAll(async () => {
  command = await openModelsCommand();
});
afterAll(() => command[Symbol.asyncDispose]());
beforeEach(async () => {
  registry = await command.openRegistry();
});
afterEach(() => registry[Symbol.asyncDispose]());

test('registered, promoted and rolled back, and the list says so', async () => {
  expect((await registry.models('list')).output).toBe('No model is registered.\n');
  expect((await registry.models('register', leadConversionFolder)).output).toBe(
    'lead-conversion 1.0.0 is registered; `presage models promote lead-conversion 1.0.0` lets it answer.\n',
  );
  expect((await registry.models('register', leadConversionFolder)).output).toBe(
    'lead-conversion 1.0.0 is registered already.\n',
  );
  await registry.registerAll('2.0.0');
  expect(await registry.champion()).toBeNull();
  expect(await registry.models('promote', 'lead-conversion', '1.0.0')).toEqual({
    exitCode: 0,
    output: 'lead-conversion 1.0.0 is the champion.\n',
    messages: '',
  });
  expect((await registry.models('promote', 'lead-conversion', '2.0.0')).output).toBe(
    'lead-conversion 2.0.0 is the champion; it was 1.0.0.\n',
  );
  expect((await registry.models('promote', 'lead-conversion', '2.0.0')).output).toBe(
    'lead-conversion 2.0.0 is the champion already.\n',
  );
  expect((await registry.models('rollback', 'lead-conversion')).output).toBe(
    'lead-conversion 1.0.0 is the champion again; it was 2.0.0.\n',
  );
  const again = await registry.models('rollback', 'lead-conversion');
  expect(again).toMatchObject({ exitCode: 1, output: '' });
  expect(again.messages).toContain('lead-conversion has no former champion to go back to');

  const { output } = await registry.models('list');
  expect(output).toMatch(/^MODEL +VERSION +TYPE +ALIAS +REGISTERED +SHA-256\n/);
  expect(output).toMatch(/^lead-conversion +1\.0\.0 +binary_classifier +champion +\d{4}-/m);
  expect(output).toMatch(/^lead-conversion +2\.0\.0 +binary_classifier {2,}\d{4}-/m);
});

test('a challenger is named and switched off again', async () => {
  await registry.registerAll('1.0.0', '2.0.0');
  await registry.models('promote', 'lead-conversion', '1.0.0');
  expect((await registry.models('shadow', 'lead-conversion', '2.0.0')).output).toBe(
    'lead-conversion 2.0.0 is the challenger: it answers beside 1.0.0.\n',
  );
  expect((await registry.models('list')).output).toMatch(
    /^lead-conversion +2\.0\.0 +binary_classifier +challenger/m,
  );
  expect((await registry.models('shadow', 'lead-conversion', '1.0.0')).exitCode).toBe(1);
  expect((await registry.models('shadow', 'lead-conversion', '--off')).output).toBe(
    'lead-conversion has no challenger.\n',
  );
  expect((await registry.models('list')).output).not.toContain('challenger');
  for (const wrong of [
    ['shadow', 'lead-conversion'],
    ['shadow', 'lead-conversion', '2.0.0', '--off'],
  ]) {
    expect(await registry.models(...wrong)).toMatchObject({ exitCode: 2, output: '' });
  }
});

test('info tells what a version is: the champion, the newest, or the one that is named', async () => {
  await registry.registerAll('1.0.0', '2.0.0');
  const schema = z.object({
    version: z.string(),
    alias: z.string().nullable(),
    sha256: z.string(),
    history: z.array(z.unknown()),
    manifest: z.object({ feature_columns: z.array(z.object({ name: z.string() })) }),
  });
  const info = async (...argv: string[]) =>
    schema.parse(JSON.parse((await registry.models('info', 'lead-conversion', ...argv, '--json')).output));
  expect(await info()).toMatchObject({ version: '2.0.0', alias: null, history: [] });
  await registry.models('promote', 'lead-conversion', '1.0.0');
  const served = await info();
  expect(served).toMatchObject({ version: '1.0.0', alias: 'champion' });
  expect(served.manifest.feature_columns).toHaveLength(19);
  expect(served.history).toHaveLength(1);
  expect(await info('2.0.0')).toMatchObject({ version: '2.0.0', alias: null });

  const { output } = await registry.models('info', 'lead-conversion');
  expect(output).toContain('lead-conversion 1.0.0, binary_classifier\n');
  expect(output).toMatch(/^auc +0\.8/m);
  expect(output).toMatch(/^age +numeric +17 to 98 +38$/m);
  expect(output).toMatch(/^\d{4}-\S+ {2}promote {2}1\.0\.0$/m);
  for (const unknown of [['no-such-model'], ['lead-conversion', '9.9.9']]) {
    expect(await registry.models('info', ...unknown)).toMatchObject({ exitCode: 1, output: '' });
  }
});

test('a version is never another bundle’s', async () => {
  await registry.registerAll('1.0.0');
  await command.bundles.add('1.0.0', { intercept: 0.5 });
  const refused = await registry.models('register', bundleFolder(command.bundles, '1.0.0'));
  expect(refused).toMatchObject({ exitCode: 1, output: '' });
  expect(refused.messages).toContain('lead-conversion 1.0.0 is registered with other content.');
  expect((await registry.models('verify')).exitCode).toBe(0);
});

test('workers are told at once of each change, or told of that they are not', async () => {
  await registry.registerAll('1.0.0', '2.0.0');
  const log = createLogger({ process: 'test', level: 'silent' });
  await using subscriber = connectRedis({ kind: 'url', url: command.redisUrl }, 'subscriber', log);
  const heard: string[] = [];
  hearModelChanges(subscriber.client, { keys: new RedisKeys(), log }, (modelId) => heard.push(modelId));
  await until(async () => (await subscriber.client.subscribe(new RedisKeys().modelsChannel())) === 1);
  const changes = [
    ['promote', 'lead-conversion', '1.0.0'],
    ['promote', 'lead-conversion', '2.0.0'],
    ['shadow', 'lead-conversion', '1.0.0'],
    ['rollback', 'lead-conversion'],
  ];
  for (const change of changes)
    expect(await registry.models(...change)).toMatchObject({ exitCode: 0, messages: '' });
  await until(() => heard.length === changes.length);
  expect(new Set(heard)).toEqual(new Set(['lead-conversion']));
});

test.each(['', 'redis://127.0.0.1:1'])(
  'without a Redis (%j) a change is made, and when it is noticed is told',
  async (url) => {
    await registry.registerAll('1.0.0');
    const run = await runPresage(['models', 'promote', 'lead-conversion', '1.0.0'], {
      ...registry.environment,
      REDIS_URL: url,
      ML_CACHE_TTL_SECONDS: '120',
    });
    expect(run.exitCode).toBe(0);
    expect(run.messages).toBe(
      'The workers could not be told: Redis does not answer. They notice within 120 s (ML_CACHE_TTL_SECONDS).\n',
    );
    expect(await registry.champion()).toBe('1.0.0');
  },
);

test('nothing says where models are: one line, exit 1', async () => {
  const without = (environment: Record<string, string>) => runPresage(['models', 'list'], environment);
  expect(await without({})).toMatchObject({
    exitCode: 1,
    messages: expect.stringMatching(/^Nothing says where the model registry is: .*\n$/),
  });
  expect(await without({ AWS_ENDPOINT_URL_DYNAMODB: command.dynamodbUrl })).toMatchObject({
    exitCode: 1,
    messages: expect.stringMatching(/^Nothing says where the files of models are: .*\n$/),
  });
});
