import { Redis } from 'ioredis';
import { z } from 'zod';
import { defineQueue } from '../../shared/contracts/define-queue.ts';
import { predictionCacheKey } from '../../shared/prediction-cache/prediction-cache-key.ts';
import { connectRedis } from '../../shared/queue/connect-redis.ts';
import { hearModelChanges } from '../../shared/queue/hear-model-changes.ts';
import { RedisKeys } from '../../shared/queue/redis-keys.ts';
import { cancelJob } from '../../shared/queue/steer-job.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { openCallTime, randomContacts } from '../support/open-call-time.ts';
import { openLeadScoring } from '../support/open-lead-scoring.ts';
import { openRedisCluster, type RedisCluster } from '../support/open-redis-cluster.ts';
import { openTestFleet } from '../support/open-test-fleet.ts';
import { byId, sampleLeads } from '../support/sample-leads.ts';
import { until } from '../support/until.ts';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await openRedisCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const queues = Array.from({ length: 6 }, (_, index) =>
  defineQueue({
    name: `queue-${index}`,
    payload: z.object({ number: z.number() }),
    result: z.object({ number: z.number() }),
    attempts: 2,
    deadlineMs: 60_000,
    lane: 'interactive',
  }),
);

test('jobs of all queues are done, the queues spread over the nodes, and a wiped node loses nothing', async () => {
  await using fleet = await openTestFleet(queues, cluster.settings);
  for (const contract of queues) {
    fleet.consume(contract, { start: ({ number }) => Promise.resolve({ number: number + 1 }) });
  }
  fleet.startRelay();
  // Else what is accepted is left to the relay, and is not in Redis yet.
  await until(() => fleet.redis.isUp(), { withinMs: 30_000 });
  const jobs = await Promise.all(
    queues.flatMap((contract) =>
      Array.from({ length: 20 }, (_, number) =>
        fleet.enqueue.enqueue(
          contract,
          { number },
          { replyTo: fleet.results.name, delayMs: number % 2 === 0 ? 0 : 700 },
        ),
      ),
    ),
  );
  const keysPerNode = await Promise.all(
    cluster.nodes.map(async (node) => {
      const redis = new Redis(node);
      const keys = await redis.keys(`{${fleet.keys.namespace}:*`);
      // The delayed jobs of this node are forgotten.
      await redis.flushall();
      redis.disconnect();
      return keys.length;
    }),
  );
  expect(keysPerNode.filter((keys) => keys > 0).length).toBeGreaterThan(1);
  const ids = jobs.map((job) => job.id);
  await until(async () => (await fleet.ledger.settledAmong(ids)).length === ids.length);
  const done = await fleet.ledger.list({ ids, states: ['completed'], limit: ids.length });
  expect(done).toHaveLength(ids.length);
});

test('the prediction cache works with untagged keys on any node', async () => {
  await using callTime = await openCallTime({ redis: cluster.settings });
  await until(() => callTime.redis.status === 'ready');
  const contacts = randomContacts(60);
  const first = await callTime.run(contacts);
  const second = await callTime.run(contacts);
  expect(first.predictions.every((prediction) => prediction.source === 'sagemaker')).toBe(true);
  expect(second.predictions.every((prediction) => prediction.cached)).toBe(true);
  expect(callTime.server.requests).toHaveLength(60);
});

test('a cluster that lacks a part costs predictions from the cache, never a job', async () => {
  const [one] = randomContacts(1);
  if (!one) throw new Error('there is one contact');
  const [asked] = cluster.nodes;
  const slot = String(await asked?.ask('cluster', 'keyslot', predictionCacheKey(one.phoneNumber)));
  for (const { ask } of cluster.nodes) await ask('cluster', 'delslots', slot);
  try {
    await using callTime = await openCallTime({ redis: cluster.settings });
    const { predictions } = await callTime.run([one, ...randomContacts(20)]);
    expect(predictions).toHaveLength(21);
    expect(predictions.every(({ source }) => source === 'sagemaker')).toBe(true);
  } finally {
    await cluster.nodes[0]?.ask('cluster', 'addslots', slot);
    await cluster.untilWhole();
  }
});

test('the cache of scores does too', async () => {
  await using room = await openLeadScoring({ redis: cluster.settings });
  await room.serve('1.0.0');
  await until(() => room.redis.status === 'ready');
  const leads = await sampleLeads();
  await room.addLeads(byId(leads));
  const ids = leads.map(({ leadId }) => leadId);
  const first = await room.run(ids);
  expect((await room.run(ids)).predictions).toEqual(first.predictions);
  expect(await room.cacheRequests('hit')).toBe(ids.length);
  expect(await room.cacheRequests('write_error')).toBe(0);
});

test('a job in hand hears of it when it is cancelled, whichever nodes are asked', async () => {
  const [contract] = queues;
  if (!contract) throw new Error('there are queues');
  await using fleet = await openTestFleet([contract], cluster.settings);
  const ended = Promise.withResolvers<unknown>();
  fleet.consume(contract, {
    start: (_payload, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          ended.resolve(signal.reason);
          reject(new Error('cancelled'));
        });
      }),
  });
  const { id } = await fleet.enqueue.enqueue(contract, { number: 1 });
  await until(async () => (await fleet.dispatcher.activeJobIds(contract.name)).includes(id));
  expect(await cancelJob(id, fleet)).toEqual([id]);
  expect(await ended.promise).toMatchObject({ kind: 'cancelled' });
});

test('what is subscribed to while the whole cluster is away is heard when it is back', async () => {
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  const log = createLogger({ process: 'test', level: 'silent' });
  await using subscriber = connectRedis(cluster.settings, 'subscriber', log);
  await using publisher = connectRedis(cluster.settings, 'producer', log);
  const keys = new RedisKeys('test-away');
  const heard: string[] = [];
  hearModelChanges(subscriber.client, { keys, log }, (modelId) => heard.push(modelId));
  expect(await publisher.isUp()).toBe(false);
  await Promise.all(cluster.nodes.map((node) => node.start()));
  await cluster.untilWhole();
  await until(() => publisher.isUp());
  await until(async () => {
    await publisher.client.publish(keys.modelsChannel(), 'a-model');
    return heard.includes('a-model');
  });
});
