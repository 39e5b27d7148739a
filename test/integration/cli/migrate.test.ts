import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { migrationNames } from '../../../shared/database/migrate.ts';
import type { Environment } from '../../../shared/config/read-settings.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { openDynamodbProxy } from '../../support/open-dynamodb-proxy.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';
import { openS3Server } from '../../support/open-s3-server.ts';
import { runPresage } from '../../support/run-presage.ts';

let servers: PrivateServers;
let emulator: EmbeddedServer;
let empty: TestDatabase;
beforeAll(async () => {
  servers = await openPrivateServers();
  emulator = await servers.startDynamodb();
});
afterAll(() => servers[Symbol.asyncDispose]());
beforeEach(async () => {
  empty = await createTestDatabase({ migrate: false });
});
afterEach(() => empty[Symbol.asyncDispose]());

/** Tables of a test's own. */
const tablesOf = (test: string) => ({
  DYNAMODB_TABLE_NAME: `insights-${test}`,
  MODEL_REGISTRY_TABLE: `models-${test}`,
});

const migrate = (argv: readonly string[], changes: Environment = {}) =>
  runPresage(['migrate', ...argv], {
    DATABASE_URL: empty.url,
    AWS_ENDPOINT_URL_DYNAMODB: emulator.url,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...changes,
  });

test('up makes the tables as well, several at once are safe, and status shows both', async () => {
  const table = tablesOf('up');
  const before = await migrate(['status', '--json'], table);
  expect(JSON.parse(before.output)).toEqual({
    migrations: migrationNames.map((name) => ({ name, executed_at: null })),
    of_newer_versions: [],
    tables: [
      { name: 'insights-up', state: 'missing' },
      { name: 'models-up', state: 'missing' },
    ],
    artifacts: null,
  });

  const runs = await Promise.all([1, 2, 3].map(() => migrate(['up', '--json'], table)));
  expect(runs.map((run) => [run.exitCode, run.messages])).toEqual(runs.map(() => [0, '']));
  const made = runs.flatMap((run) => (JSON.parse(run.output) as { tables: string[] }).tables);
  expect(made.sort()).toEqual(['insights-up', 'models-up']);
  expect(await migrate(['up'], table)).toEqual({ exitCode: 0, output: 'nothing to do\n', messages: '' });

  const after = await migrate(['status'], table);
  expect(after.output).toContain('DynamoDB table insights-up  ready\nDynamoDB table models-up  ready\n');
  expect(after.output).not.toContain('pending');
});

test('up names what it made', async () => {
  const { output } = await migrate(['up'], tablesOf('named'));
  const tables = ['DynamoDB table insights-named', 'DynamoDB table models-named'];
  expect(output).toBe(`up: ${[...migrationNames, ...tables].join(', ')}\n`);
});

test('down leaves DynamoDB as it is', async () => {
  const table = tablesOf('down');
  await migrate(['up'], table);
  expect((await migrate(['down'], table)).output).toBe(`down: ${migrationNames.at(-1)}\n`);
  const { output } = await migrate(['status'], table);
  expect(output).toContain(`${migrationNames.at(-1)}  pending`);
  expect(output).toContain('DynamoDB table insights-down  ready');
});

test('nothing says where DynamoDB is: MySQL is migrated, and one line tells what was left out', async () => {
  const unconfigured = { AWS_ENDPOINT_URL_DYNAMODB: '' };
  const run = await migrate(['up'], unconfigured);
  expect(run.exitCode).toBe(0);
  expect(run.output).toBe(`up: ${migrationNames.join(', ')}\n`);
  expect(run.messages).toMatch(
    /^DynamoDB is not configured.*AWS_ENDPOINT_URL_DYNAMODB, DYNAMODB=aws or.*\n$/,
  );
  expect((await migrate(['status'], unconfigured)).output).not.toContain('DynamoDB');
});

test('a table that it did not make and that does not fit is refused by name', async () => {
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: emulator.url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  await client.send(
    new CreateTableCommand({
      TableName: 'orders',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'order_id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'order_id', AttributeType: 'S' }],
    }),
  );
  client.destroy();
  const run = await migrate(['up'], { ...tablesOf('foreign'), DYNAMODB_TABLE_NAME: 'orders' });
  expect(run).toMatchObject({ exitCode: 1, output: '' });
  expect(run.messages).toMatch(
    /The DynamoDB table orders exists already .* a table of its own: DYNAMODB_TABLE_NAME\.\n$/,
  );
  expect(run.messages).not.toMatch(/\n\s+at /);
  expect((await migrate(['status'], { DYNAMODB_TABLE_NAME: 'orders' })).output).toContain('orders  foreign');
});

test('up waits a while for a DynamoDB that is still starting', async () => {
  await using proxy = await openDynamodbProxy(emulator.url);
  proxy.failNext('DescribeTable', { kind: 'reset' }, 2);
  const run = await migrate(['up', '--json'], {
    AWS_ENDPOINT_URL_DYNAMODB: proxy.url,
    ...tablesOf('late'),
  });
  expect(run).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(run.output)).toMatchObject({ tables: ['insights-late', 'models-late'] });
});

test.each(['up', 'status'])('%s: DynamoDB away is told, exit 1', async (direction) => {
  const run = await migrate([direction], { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1' });
  expect(run).toMatchObject({ exitCode: 1, output: '' });
  expect(run.messages).toContain('DynamoDB does not answer');
});

test.each(['up', 'status'])(
  '%s: what DynamoDB does not allow is told in one line, exit 1',
  async (direction) => {
    await using proxy = await openDynamodbProxy(emulator.url);
    proxy.failNext('DescribeTable', { kind: 'answer', status: 400, type: 'AccessDeniedException' });
    const run = await migrate([direction], { AWS_ENDPOINT_URL_DYNAMODB: proxy.url });
    expect(run).toMatchObject({ exitCode: 1, output: '' });
    expect(run.messages).toBe(
      'The credentials for DynamoDB are missing or not accepted (DYNAMODB_ACCESS_DENIED).\n',
    );
  },
);

test('a name that no table can have is a problem of the configuration', async () => {
  const run = await migrate(['up'], { DYNAMODB_TABLE_NAME: 'a table' });
  expect(run).toMatchObject({ exitCode: 1, output: '' });
  expect(run.messages).toContain('DYNAMODB_TABLE_NAME');
});

describe('artifacts', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'presage-artifacts-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('up makes the folder, several at once are safe, and status shows it', async () => {
    const { href: url } = pathToFileURL(path.join(directory, 'deep', 'down'));
    const folder = { ...tablesOf('folder'), ARTIFACTS_URL: url };
    const before = await migrate(['status', '--json'], folder);
    expect(JSON.parse(before.output)).toMatchObject({ artifacts: { url, state: 'missing' } });
    const runs = await Promise.all([1, 2].map(() => migrate(['up', '--json'], folder)));
    const made = runs.map((run) => (JSON.parse(run.output) as { artifacts: unknown }).artifacts);
    expect(made).toContain(url);
    expect((await migrate(['up'], folder)).output).toBe('nothing to do\n');
    expect((await migrate(['status'], folder)).output).toContain(`artifact store ${url}  ready\n`);
  });

  test('up makes the bucket', async () => {
    await using server = await openS3Server();
    const bucket = { ...tablesOf('bucket'), ARTIFACTS_BUCKET: 'models', AWS_ENDPOINT_URL_S3: server.url };
    expect((await migrate(['up'], bucket)).output).toContain(', artifact store s3://models\n');
    expect((await migrate(['up'], bucket)).output).toBe('nothing to do\n');
  });

  test('up waits a while for a bucket’s server that is still starting; one that stays away is told', async () => {
    await using server = await openS3Server();
    server.failNext({ kind: 'reset' });
    const late = { ...tablesOf('late-bucket'), ARTIFACTS_BUCKET: 'models', AWS_ENDPOINT_URL_S3: server.url };
    expect(await migrate(['up'], late)).toMatchObject({ exitCode: 0 });
    const away = await migrate(['status'], { ...late, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' });
    expect(away).toMatchObject({ exitCode: 1, output: '' });
    expect(away.messages).toContain('The artifact store does not answer');
  });
});
