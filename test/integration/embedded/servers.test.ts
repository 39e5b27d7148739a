import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { databaseFromUrl } from '../../../shared/config/database-settings.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import type { EmbeddedServer, EmbeddedServerOptions } from '../../../shared/embedded/embedded-server.ts';
import { startDynamodb } from '../../../shared/embedded/start-dynamodb.ts';
import { startMysql } from '../../../shared/embedded/start-mysql.ts';
import { startRedis } from '../../../shared/embedded/start-redis.ts';
import { processIdentity } from '../../../shared/process/process-identity.ts';
import { openServerRoom, type ServerRoom } from '../../support/open-server-room.ts';
import { until } from '../../support/until.ts';

let room: ServerRoom;
beforeEach(async () => {
  room = await openServerRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

const inFolder = (folder: string): EmbeddedServerOptions => ({
  ...room,
  directory: path.join(room.directory, folder),
});

async function onRedis<Value>(url: string, work: (redis: Redis) => Promise<Value>): Promise<Value> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined); // it may be restarting
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

async function onMysql<Row>(url: string, statement: string): Promise<Row[]> {
  await using database = openDatabase({ ...databaseFromUrl(url), poolSize: 1, tls: false });
  return (await sql.raw<Row>(statement).execute(database.db)).rows;
}

async function onDynamodb(url: string, operation: string, body: object): Promise<unknown> {
  const credential = 'Credential=any/20260101/us-east-1/dynamodb/aws4_request';
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      'x-amz-date': '20260101T000000Z',
      authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=any`,
    },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return response.json();
}

/** Kills the server and waits until it is back. */
async function killAndWait(server: EmbeddedServer): Promise<void> {
  const pid = server.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await until(() => server.pid !== undefined && server.pid !== pid);
}

describe('redis', () => {
  test('keeps data and address when it is killed, stopped, and started again later', async () => {
    const first = await startRedis(inFolder('redis'));
    await onRedis(first.url, (redis) => redis.set('key', 'value'));
    await killAndWait(first);
    expect(await onRedis(first.url, (redis) => redis.get('key'))).toBe('value');
    await first.stop();
    await first.start();
    expect(await onRedis(first.url, (redis) => redis.get('key'))).toBe('value');
    await first.stop();

    await using second = await startRedis(inFolder('redis'));
    expect(second.url).toBe(first.url);
    expect(await onRedis(second.url, (redis) => redis.get('key'))).toBe('value');
  });

  test('survives SHUTDOWN NOSAVE', async () => {
    await using server = await startRedis(inFolder('redis'));
    const { pid } = server;
    await onRedis(server.url, async (redis) => {
      await redis.set('key', 'value');
      redis.options.retryStrategy = () => null; // or it would shut down every successor as well
      await redis.shutdown('NOSAVE').catch(() => undefined); // the answer is that the connection closes
    });
    await until(() => server.pid !== undefined && server.pid !== pid);
    expect(await onRedis(server.url, (redis) => redis.get('key'))).toBe('value');
  });

  test('never evicts, writes an append-only file, and lets nobody in without the password', async () => {
    await using server = await startRedis(inFolder('redis'));
    const policy = await onRedis(server.url, (redis) => redis.config('GET', 'maxmemory-policy'));
    const appendOnly = await onRedis(server.url, (redis) => redis.config('GET', 'appendonly'));
    expect([policy, appendOnly]).toEqual([
      ['maxmemory-policy', 'noeviction'],
      ['appendonly', 'yes'],
    ]);
    const url = new URL(server.url);
    url.password = '';
    url.username = '';
    await expect(onRedis(url.href, (redis) => redis.get('key'))).rejects.toThrow('NOAUTH');
  });
});

describe('mysql', () => {
  test('keeps data and address when it is killed, stopped, and started again later', async () => {
    const first = await startMysql(inFolder('mysql'));
    await onMysql(first.url, 'create table numbers (n int)');
    await onMysql(first.url, 'insert into numbers values (7)');
    await killAndWait(first);
    await until(() =>
      onMysql(first.url, 'select 1').then(
        () => true,
        () => false,
      ),
    );
    expect(await onMysql(first.url, 'select n from numbers')).toEqual([{ n: 7 }]);
    await first.stop();

    await using second = await startMysql(inFolder('mysql'));
    expect(second.url).toBe(first.url);
    expect(await onMysql(second.url, 'select n from numbers')).toEqual([{ n: 7 }]);
  });

  test('its user has one database, and root cannot log in over TCP', async () => {
    await using server = await startMysql(inFolder('mysql'));
    await expect(onMysql(server.url, 'create database other')).rejects.toThrow(/denied/);
    const url = new URL(server.url);
    url.username = 'root';
    url.password = '';
    await expect(onMysql(url.href, 'select 1')).rejects.toHaveProperty(
      'cause.message',
      expect.stringMatching(/denied|not allowed/),
    );
  });

  test('refuses the data of another server, and leaves it as it is', async () => {
    const server = await startMysql(inFolder('mysql'));
    await server.stop();
    const file = path.join(room.directory, 'mysql', 'settings.json');
    const settings = await readFile(file, 'utf8');
    await writeFile(file, settings.replace(/"madeBy": "[^"]*"/, '"madeBy": "mysql 5.7"'));
    await expect(startMysql(inFolder('mysql'))).rejects.toThrow(
      /was made by mysql 5\.7, but this machine has/,
    );
  });

  test('begins anew after a first start that was interrupted', async () => {
    const unfinished = path.join(room.directory, 'mysql', 'data.unfinished');
    await mkdir(unfinished, { recursive: true });
    await writeFile(path.join(unfinished, 'ibdata1'), 'half');
    await using server = await startMysql(inFolder('mysql'));
    expect(await onMysql(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('dynamodb', () => {
  test('keeps data and address when it is killed, and started again later', async () => {
    const first = await startDynamodb(inFolder('dynamodb'));
    await onDynamodb(first.url, 'CreateTable', {
      TableName: 'insights',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    });
    const pid = first.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    await until(() => processIdentity(pid) === undefined);
    await until(() =>
      fetch(first.url).then(
        () => true,
        () => false,
      ),
    );
    expect(await onDynamodb(first.url, 'ListTables', {})).toEqual({ TableNames: ['insights'] });
    await first.stop();

    await using second = await startDynamodb(inFolder('dynamodb'));
    expect(second.url).toBe(first.url);
    expect(await onDynamodb(second.url, 'ListTables', {})).toEqual({ TableNames: ['insights'] });
  });
});

test('when its port was taken meanwhile, a server moves to another one', async () => {
  const first = await startRedis(inFolder('redis'));
  await first.stop();
  await using squatter = await startRedis(inFolder('other'));
  const settingsFile = path.join(room.directory, 'redis', 'settings.json');
  const settings = await readFile(settingsFile, 'utf8');
  await writeFile(settingsFile, settings.replace(/"port": \d+/, `"port": ${new URL(squatter.url).port}`));
  await using second = await startRedis(inFolder('redis'));
  expect(new URL(second.url).port).not.toBe(new URL(squatter.url).port);
});

test('passwords are readable by the user alone', async () => {
  await using redis = await startRedis(inFolder('redis'));
  await using mysql = await startMysql(inFolder('mysql'));
  expect([redis.pid, mysql.pid]).not.toContain(undefined);
  for (const file of [
    'redis/settings.json',
    'redis/redis.conf',
    'mysql/settings.json',
    'mysql/accounts.sql',
  ]) {
    expect((await stat(path.join(room.directory, file))).mode & 0o077).toBe(0);
  }
});

test('a server that cannot start is reported with the end of its log', async () => {
  const options = inFolder('redis');
  const server = await startRedis(options);
  await server.stop();
  const appendOnlyFolder = path.join(options.directory, 'data', 'appendonlydir');
  await writeFile(path.join(appendOnlyFolder, 'appendonly.aof.manifest'), 'nonsense');
  await expect(startRedis(options)).rejects.toThrow(
    /^redis cannot be started: it ended with exit code 1\.\nThe end of .*redis\.log:/,
  );
});
