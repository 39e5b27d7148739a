import { databaseSettings } from '../../shared/config/database-settings.ts';
import { processSettings } from '../../shared/config/process-settings.ts';
import { readSettings, type Environment } from '../../shared/config/read-settings.ts';
import { redisSettings } from '../../shared/config/redis-settings.ts';
import { retentionSettings } from '../../shared/config/retention-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { watchRedisMemory } from '../../shared/queue/redis-memory.ts';
import { runBackgroundProducer } from '../run-background-producer.ts';
import { measureGenerationQueue } from './measure-generation-queue.ts';
import { measureLeadQuality } from './measure-lead-quality.ts';
import { measureQueues } from './measure-queues.ts';
import { measureSweeps } from './measure-sweeps.ts';
import { openRelay } from './open-relay.ts';
import { openRetention } from './open-retention.ts';

/**
 * The relay process: makes Redis agree with the ledger, measures the queues, the ticks and what they predict, and how
 * good scores of leads were, and deletes what is old.
 */
export function runRelay(environment: Environment): Promise<number> {
  // With what every background producer reads, so that all problems are told at once.
  const { retention } = readSettings(
    {
      process: processSettings,
      redis: redisSettings,
      database: databaseSettings,
      retention: retentionSettings,
    },
    environment,
  );
  const queues = allQueues.map((contract) => contract.name);
  return runBackgroundProducer('relay', environment, ({ producer, metrics, log, resources }) => {
    const { dispatcher, ledger, redis, keys } = producer;
    const { db } = producer.database;
    const { registry } = metrics;
    measureQueues({ queues, dispatcher, db, registry, log });
    measureSweeps({ db, registry, log });
    measureGenerationQueue({ db, registry, log });
    measureLeadQuality({ db, registry, log });
    const redisMemory = watchRedisMemory(redis.client, queues, keys);
    resources.use(openRelay({ db, ledger, dispatcher, redisMemory, queues, log }));
    resources.use(openRetention({ db, ...retention, registry, log }));
  });
}
