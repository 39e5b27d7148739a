import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import type { AwsSettings } from '../../../shared/config/aws-settings.ts';
import type { DynamodbSettings } from '../../../shared/config/dynamodb-settings.ts';
import { prepareTables, tableStatuses } from '../../../shared/dynamodb/prepare-tables.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import { openDynamodbProxy, type DynamodbFault } from '../../support/open-dynamodb-proxy.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';

let servers: PrivateServers;
let emulator: EmbeddedServer;
let client: DynamoDBClient;
beforeAll(async () => {
  servers = await openPrivateServers();
  emulator = await servers.startDynamodb();
  client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: emulator.url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  client.destroy();
  await servers[Symbol.asyncDispose]();
});

let tables = 0;
function settingsOf(changes: Partial<DynamodbSettings> = {}): DynamodbSettings & AwsSettings {
  tables += 1;
  return {
    isConfigured: true,
    region: 'us-east-1',
    endpointUrl: emulator.url,
    insightTableName: `insights-${tables}`,
    modelRegistryTableName: `models-${tables}`,
    mayAskInstanceMetadata: false,
    ...changes,
  };
}

const namesOf = ({ insightTableName, modelRegistryTableName }: DynamodbSettings) => [
  insightTableName,
  modelRegistryTableName,
];

test('makes the table of document 002 and the registry of models, once', async () => {
  const settings = settingsOf();
  const statuses = (state: string) => [
    { name: settings.insightTableName, variable: 'DYNAMODB_TABLE_NAME', state, expires: null },
    { name: settings.modelRegistryTableName, variable: 'MODEL_REGISTRY_TABLE', state, expires: null },
  ];
  expect(await tableStatuses(settings)).toEqual(statuses('missing'));
  expect(await prepareTables(settings)).toEqual(namesOf(settings));
  expect(await prepareTables(settings)).toEqual([]);
  for (const TableName of namesOf(settings)) await expectItsKeys(TableName);
  expect(await tableStatuses(settings)).toEqual(statuses('ready'));
});

async function expectItsKeys(TableName: string): Promise<void> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName }));
  expect(Table).toMatchObject({
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
  });
  expect(Table?.AttributeDefinitions?.map(({ AttributeType }) => AttributeType)).toEqual(['S', 'S']);
}

test('several at once are safe: one makes it', async () => {
  const settings = settingsOf();
  const made = await Promise.all(Array.from({ length: 5 }, () => prepareTables(settings)));
  expect(made.flat().sort()).toEqual(namesOf(settings));
});

test.each<[string, ConstructorParameters<typeof CreateTableCommand>[0]['KeySchema'], 'S' | 'N']>([
  ['no sort key', [{ AttributeName: 'pk', KeyType: 'HASH' }], 'S'],
  [
    'another sort key',
    [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'created', KeyType: 'RANGE' },
    ],
    'S',
  ],
  [
    'numbers as keys',
    [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    'N',
  ],
])('a table with %s is refused by name and left as it is', async (_what, keys = [], type) => {
  const settings = settingsOf();
  await client.send(
    new CreateTableCommand({
      TableName: settings.insightTableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys,
      AttributeDefinitions: keys.map(({ AttributeName }) => ({ AttributeName, AttributeType: type })),
    }),
  );
  await using proxy = await openDynamodbProxy(emulator.url);
  await expect(prepareTables({ ...settings, endpointUrl: proxy.url })).rejects.toThrow(
    `The DynamoDB table ${settings.insightTableName} exists already and has not the keys pk and sk`,
  );
  expect(proxy.operations).toEqual(['DescribeTable']);
  expect(await tableStatuses(settings)).toMatchObject([{ state: 'foreign' }, { state: 'missing' }]);
});

test('the registry is refused by its own name and variable', async () => {
  const settings = settingsOf();
  await client.send(
    new CreateTableCommand({
      TableName: settings.modelRegistryTableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'model_id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'model_id', AttributeType: 'S' }],
    }),
  );
  await expect(prepareTables(settings)).rejects.toThrow(
    `The DynamoDB table ${settings.modelRegistryTableName} exists already and has not the keys pk and sk, as strings. ` +
      'Give Presage a table of its own: MODEL_REGISTRY_TABLE.',
  );
});

test('one that somebody else is making is waited for', async () => {
  const settings = settingsOf();
  await prepareTables(settings);
  const { Table } = await client.send(new DescribeTableCommand({ TableName: settings.insightTableName }));
  await using proxy = await openDynamodbProxy(emulator.url);
  const { KeySchema, AttributeDefinitions } = Table ?? {};
  const being = { TableName: settings.insightTableName, KeySchema, AttributeDefinitions };
  const making = { Table: { ...being, TableStatus: 'CREATING' } };
  proxy.failNext('DescribeTable', { kind: 'answer', status: 200, body: making }, 2);
  expect(await prepareTables({ ...settings, endpointUrl: proxy.url })).toEqual([]);
  expect(proxy.operations.slice(0, 4)).toEqual([
    'DescribeTable',
    'DescribeTable',
    'DescribeTable',
    'DescribeTimeToLive',
  ]);
});

describe('expiry', () => {
  const described = (status: string): DynamodbFault => ({
    kind: 'answer',
    status: 200,
    body: { TimeToLiveDescription: { TimeToLiveStatus: status } },
  });
  const refusal = (type: string): DynamodbFault => ({ kind: 'answer', status: 400, type });
  const isOn: DynamodbFault = { kind: 'answer', status: 200 };

  /** Prepares a table with these answers; answers what was asked of it after it was there. */
  async function prepareWith(answers: [string, DynamodbFault][]): Promise<string[]> {
    await using proxy = await openDynamodbProxy(emulator.url);
    for (const [operation, fault] of answers) proxy.failNext(operation, fault);
    await prepareTables(settingsOf({ endpointUrl: proxy.url }));
    return proxy.operations.filter((operation) => operation.endsWith('TimeToLive'));
  }

  test('is switched on where it is off', async () => {
    const answers: [string, DynamodbFault][] = [
      ['DescribeTimeToLive', described('DISABLED')],
      ['UpdateTimeToLive', isOn],
    ];
    expect(await prepareWith(answers)).toEqual(['DescribeTimeToLive', 'UpdateTimeToLive']);
  });

  test.each(['ENABLED', 'ENABLING'])('is left alone where it is %s', async (status) => {
    expect(await prepareWith([['DescribeTimeToLive', described(status)]])).toEqual(['DescribeTimeToLive']);
  });

  test('that somebody else switched on in between is no failure', async () => {
    const answers: [string, DynamodbFault][] = [
      ['DescribeTimeToLive', described('DISABLED')],
      ['UpdateTimeToLive', refusal('ValidationException')],
      ['DescribeTimeToLive', described('ENABLED')],
    ];
    expect(await prepareWith(answers)).toHaveLength(3);
  });

  test('that may not be switched on is a failure', async () => {
    const answers: [string, DynamodbFault][] = [
      ['DescribeTimeToLive', described('DISABLED')],
      ['UpdateTimeToLive', refusal('AccessDeniedException')],
    ];
    await expect(prepareWith(answers)).rejects.toMatchObject({ code: 'DYNAMODB_ACCESS_DENIED' });
    await expect(
      prepareWith([['DescribeTimeToLive', refusal('AccessDeniedException')]]),
    ).rejects.toMatchObject({ code: 'DYNAMODB_ACCESS_DENIED' });
  });

  test('that an emulator knows nothing of is done without', async () => {
    const unknown = refusal('UnknownOperationException');
    const answers: [string, DynamodbFault][] = [
      ['DescribeTimeToLive', unknown],
      ['UpdateTimeToLive', unknown],
    ];
    expect(await prepareWith(answers)).toEqual(['DescribeTimeToLive', 'UpdateTimeToLive']);
  });
});

test('a table that was deleted is made again', async () => {
  const settings = settingsOf();
  await prepareTables(settings);
  await client.send(new DeleteTableCommand({ TableName: settings.insightTableName }));
  expect(await prepareTables(settings)).toEqual([settings.insightTableName]);
});

test('DynamoDB away is an outage', async () => {
  const nobody = settingsOf({ endpointUrl: 'http://127.0.0.1:1' });
  const outage = { code: 'STORE_UNAVAILABLE' };
  await expect(prepareTables(nobody)).rejects.toMatchObject(outage);
  await expect(tableStatuses(nobody)).rejects.toMatchObject(outage);
});
