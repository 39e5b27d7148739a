import type { Environment } from '../../shared/config/read-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { watchRedisMemory } from '../../shared/queue/redis-memory.ts';
import { runBackgroundProducer } from '../run-background-producer.ts';
import { measureQueues } from './measure-queues.ts';
import { openRelay } from './open-relay.ts';

/** The relay process: makes Redis agree with the ledger, and measures the queues. */
export function runRelay(environment: Environment): Promise<number> {
  const queues = allQueues.map((contract) => contract.name);
  return runBackgroundProducer('relay', environment, ({ producer, metrics, log, resources }) => {
    const { dispatcher, ledger, redis, keys } = producer;
    const { db } = producer.database;
    measureQueues({ queues, dispatcher, db, registry: metrics.registry, log });
    const redisMemory = watchRedisMemory(redis.client, queues, keys);
    resources.use(openRelay({ db, ledger, dispatcher, redisMemory, queues, log }));
  });
}
