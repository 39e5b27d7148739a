import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { openModelRegistryTable } from '../../../shared/dynamodb/model-registry-table.ts';
import { prepareTables } from '../../../shared/dynamodb/prepare-tables.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import type { ModelRegistry, RegisteredModel } from '../../../shared/models/model-registry.ts';
import { openDynamodbProxy } from '../../support/open-dynamodb-proxy.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';
import { until } from '../../support/until.ts';

let servers: PrivateServers;
let emulator: EmbeddedServer;
beforeAll(async () => {
  servers = await openPrivateServers();
  emulator = await servers.startDynamodb();
});
afterAll(() => servers[Symbol.asyncDispose]());

let tables = 0;
let registry: ModelRegistry;
const settings = () => ({
  isConfigured: true,
  region: 'us-east-1',
  endpointUrl: emulator.url,
  insightTableName: 'insights',
  modelRegistryTableName: `models-${tables}`,
  mayAskInstanceMetadata: false,
});
beforeEach(async () => {
  tables += 1;
  await prepareTables(settings());
  registry = openModelRegistryTable(settings());
});
afterEach(() => registry[Symbol.dispose]());

const versionOf = (version: string, modelId = 'lead') => ({
  modelId,
  version,
  modelType: 'binary_classifier',
  manifestSha256: `sha-of-${version}`,
});

async function read(modelId = 'lead'): Promise<RegisteredModel> {
  const model = await registry.read(modelId);
  if (!model) throw new Error(`${modelId} is not registered`);
  return model;
}

async function registerAll(...versions: string[]): Promise<void> {
  for (const version of versions) await registry.register(versionOf(version));
}

test('an empty registry has nothing', async () => {
  expect(await registry.list()).toEqual([]);
  expect(await registry.read('lead')).toBeUndefined();
  for (const which of ['1.0.0', 'champion', 'challenger']) {
    expect(await registry.find('lead', which)).toBeUndefined();
  }
});

test('a version is registered once and never changes', async () => {
  expect(await registry.register(versionOf('1.0.0'))).toBe(true);
  const registered = await registry.find('lead', '1.0.0');
  expect(registered).toEqual({ ...versionOf('1.0.0'), registeredAt: expect.stringMatching(/^\d{4}-.*Z$/) });
  expect(await registry.register(versionOf('1.0.0'))).toBe(false);
  await expect(registry.register({ ...versionOf('1.0.0'), manifestSha256: 'other' })).rejects.toMatchObject({
    code: 'MODEL_VERSION_TAKEN',
    message: expect.stringContaining('lead 1.0.0'),
  });
  expect(await registry.find('lead', '1.0.0')).toEqual(registered);
});

test('of several bundles that claim one version at once, one gets it', async () => {
  const claims = ['a', 'b', 'c', 'd'].map((manifestSha256) =>
    registry.register({ ...versionOf('1.0.0'), manifestSha256 }),
  );
  const outcomes = await Promise.allSettled(claims);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'MODEL_VERSION_TAKEN' });
  }
});

test('lists every model by its id, with its versions in the order of registering', async () => {
  await registerAll('1.0.0');
  // The order is by time, in milliseconds.
  const registeredAtMs = Date.now();
  await until(() => Date.now() > registeredAtMs);
  await registerAll('0.9.0');
  await registry.register(versionOf('2.0.0', 'churn'));
  const models = await registry.list();
  expect(models.map(({ modelId, versions }) => [modelId, versions.map(({ version }) => version)])).toEqual([
    ['churn', ['2.0.0']],
    ['lead', ['1.0.0', '0.9.0']],
  ]);
  expect(models[1]).toEqual(await read());
  expect(models[0]).toMatchObject({ champion: undefined, challenger: undefined, history: [] });
});

test('a promoted version is the champion until another one is', async () => {
  await registerAll('1.0.0', '2.0.0');
  expect(await registry.promote(await read(), '1.0.0')).toBe(true);
  expect(await registry.promote(await read(), '1.0.0')).toBe(false);
  expect(await registry.find('lead', 'champion')).toMatchObject({ version: '1.0.0' });
  expect(await registry.promote(await read(), '2.0.0')).toBe(true);
  expect(await registry.find('lead', 'champion')).toMatchObject(versionOf('2.0.0'));
  expect(await read()).toMatchObject({
    formerChampions: ['1.0.0'],
    history: [
      { version: '1.0.0', action: 'promote' },
      { version: '2.0.0', action: 'promote' },
    ],
  });
});

test('rolling back goes step by step to the champions before', async () => {
  await registerAll('1.0.0', '2.0.0', '3.0.0');
  for (const version of ['1.0.0', '2.0.0', '3.0.0']) await registry.promote(await read(), version);
  expect(await registry.rollBack(await read())).toBe('2.0.0');
  expect(await registry.rollBack(await read())).toBe('1.0.0');
  expect(await registry.find('lead', 'champion')).toMatchObject({ version: '1.0.0' });
  await expect(registry.rollBack(await read())).rejects.toMatchObject({ code: 'NO_FORMER_CHAMPION' });
  expect((await read()).history.map(({ action, version }) => `${action} ${version}`)).toEqual([
    'promote 1.0.0',
    'promote 2.0.0',
    'promote 3.0.0',
    'rollback 2.0.0',
    'rollback 1.0.0',
  ]);
});

test('a challenger answers beside the champion until it is promoted or switched off', async () => {
  await registerAll('1.0.0', '2.0.0', '3.0.0');
  await registry.promote(await read(), '1.0.0');
  expect(await registry.setChallenger(await read(), '2.0.0')).toBe(true);
  expect(await registry.setChallenger(await read(), '2.0.0')).toBe(false);
  expect(await registry.find('lead', 'challenger')).toMatchObject({ version: '2.0.0' });
  await expect(registry.setChallenger(await read(), '1.0.0')).rejects.toMatchObject({
    code: 'MODEL_VERSION_SERVED',
  });

  await registry.promote(await read(), '2.0.0');
  expect(await registry.find('lead', 'challenger')).toBeUndefined();
  await registry.setChallenger(await read(), '1.0.0');
  await registry.rollBack(await read());
  expect(await read()).toMatchObject({ champion: '1.0.0', challenger: undefined });

  await registry.setChallenger(await read(), '3.0.0');
  await registry.promote(await read(), '2.0.0');
  expect(await registry.find('lead', 'challenger')).toMatchObject({ version: '3.0.0' });
  expect(await registry.setChallenger(await read(), undefined)).toBe(true);
  expect(await registry.find('lead', 'challenger')).toBeUndefined();
});

test('what is not registered gets no alias', async () => {
  await registerAll('1.0.0');
  const unknown = { code: 'MODEL_VERSION_UNKNOWN', message: 'lead 9.9.9 is not registered' };
  await expect(registry.promote(await read(), '9.9.9')).rejects.toMatchObject(unknown);
  await expect(registry.setChallenger(await read(), '9.9.9')).rejects.toMatchObject(unknown);
  expect(await read()).toMatchObject({ champion: undefined, challenger: undefined, revision: 0 });
});

describe('two at once', () => {
  const changes: [string, (model: RegisteredModel) => Promise<unknown>][] = [
    ['promote', (model) => registry.promote(model, '2.0.0')],
    ['roll back', (model) => registry.rollBack(model)],
    ['shadow', (model) => registry.setChallenger(model, '2.0.0')],
  ];

  test.each(changes)(
    '%s after somebody else’s change: told, and nothing is changed',
    async (_what, change) => {
      await registerAll('0.9.0', '1.0.0', '2.0.0', '3.0.0');
      await registry.promote(await read(), '0.9.0');
      await registry.promote(await read(), '1.0.0');
      const seen = await read();
      await registry.promote(await read(), '3.0.0');
      const before = await read();
      await expect(change(seen)).rejects.toMatchObject({ code: 'REGISTRY_CHANGED', kind: 'permanent' });
      expect(await read()).toEqual(before);
    },
  );

  test('of several promotions of the same moment one wins, also when it is the first', async () => {
    const versions = ['1.0.0', '2.0.0', '3.0.0', '4.0.0'];
    await registerAll(...versions);
    const seen = await read();
    const outcomes = await Promise.allSettled(versions.map((version) => registry.promote(seen, version)));
    const winners = versions.filter((_version, place) => outcomes[place]?.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(await read()).toMatchObject({ champion: winners[0], revision: 1, formerChampions: [] });
  });
});

test('the history is kept within bounds', async () => {
  await registerAll('1.0.0', '2.0.0');
  for (let change = 0; change < 105; change += 1) {
    await registry.promote(await read(), change % 2 === 0 ? '1.0.0' : '2.0.0');
  }
  const { history, formerChampions, revision } = await read();
  expect([history.length, formerChampions.length, revision]).toEqual([100, 100, 105]);
  expect(formerChampions.at(-1)).toBe('2.0.0');
});

test('an item that somebody spoilt is told, not taken for nothing', async () => {
  await registerAll('1.0.0');
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: emulator.url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const item = {
    pk: { S: 'model#lead' },
    sk: { S: 'aliases' },
    kind: { S: 'aliases' },
    champion: { N: '1' },
  };
  await client.send(new PutItemCommand({ TableName: settings().modelRegistryTableName, Item: item }));
  client.destroy();
  const spoilt = { code: 'REGISTRY_ITEM_INVALID' };
  await expect(registry.list()).rejects.toMatchObject(spoilt);
  await expect(registry.read('lead')).rejects.toMatchObject(spoilt);
  await expect(registry.find('lead', 'champion')).rejects.toMatchObject(spoilt);
});

test('an outage is told as one, and a lost answer leaves one change', async () => {
  await registerAll('1.0.0');
  const model = await read();
  await using proxy = await openDynamodbProxy(emulator.url);
  using away = openModelRegistryTable({ ...settings(), endpointUrl: proxy.url });
  proxy.failNext('Scan', { kind: 'reset' });
  await expect(away.list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  proxy.failNext('PutItem', { kind: 'lost-answer' });
  await expect(away.promote(model, '1.0.0')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await away.promote(await read(), '1.0.0')).toBe(false);
  expect(await read()).toMatchObject({ champion: '1.0.0', revision: 1 });
});
