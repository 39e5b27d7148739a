import { randomUUID } from 'node:crypto';
import { readServedModels } from '../../../shared/models/read-served-models.ts';
import { reportServedModel } from '../../../shared/models/report-served-model.ts';
import { connectRedis, type RedisConnection } from '../../../shared/queue/connect-redis.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { testRedisSettings } from '../../support/open-test-fleet.ts';
import { busyMachineMs } from '../../support/until.ts';

const log = createLogger({ process: 'test', level: 'silent' });
const now = () => Date.now();

let connection: RedisConnection;
beforeAll(async () => {
  connection = connectRedis(testRedisSettings(), 'producer', log);
  await connection.untilReady(busyMachineMs);
});
afterAll(() => connection[Symbol.asyncDispose]());

function open(key: string, processId: string) {
  const model = { current: () => undefined, problem: () => 'no version of it was promoted yet' };
  const redis = connection.client;
  return reportServedModel({ model, modelId: 'lead-conversion', redis, key, processId, log });
}

test('each process has one report, until it takes it back', async () => {
  const key = `test:${randomUUID()}`;
  const read = () => readServedModels(connection.client, key, now());
  expect(await read()).toEqual([]);
  await using one = open(key, 'one');
  {
    await using other = open(key, 'other');
    await Promise.all([one.report(), one.report(), other.report()]);
    const report = { status: 'not_ready', model_id: 'lead-conversion', at: expect.any(String) };
    expect(await read()).toEqual([report, report]);
  }
  expect(await read()).toHaveLength(1);
  expect(await connection.client.ttl(key)).toBeGreaterThan(0);
});

test('what a process told before it was killed counts no longer, and is removed by others', async () => {
  const key = `test:${randomUUID()}`;
  const { client } = connection;
  const at = (agoMs: number) => new Date(now() - agoMs).toISOString();
  const report = (agoMs: number) =>
    JSON.stringify({ status: 'not_ready', model_id: 'lead-conversion', at: at(agoMs) });
  await client.hset(key, { killed: report(31_000), alive: report(5_000), strange: 'strange' });
  expect(await readServedModels(client, key, now())).toHaveLength(1);
  await using reporter = open(key, 'new');
  await reporter.report();
  expect((await client.hkeys(key)).sort()).toEqual(['alive', 'new']);
});

test('Redis away is no error', async () => {
  await using away = connectRedis({ kind: 'url', url: 'redis://127.0.0.1:1' }, 'producer', log);
  const model = { current: () => undefined, problem: () => undefined };
  await using reporter = reportServedModel({
    model,
    modelId: 'lead-conversion',
    redis: away.client,
    key: 'test',
    processId: 'one',
    log,
  });
  await expect(reporter.report()).resolves.toBeUndefined();
});
