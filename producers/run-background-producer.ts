import { v4 as uuid } from 'uuid';
import { databaseSettings } from '../shared/config/database-settings.ts';
import { processSettings } from '../shared/config/process-settings.ts';
import { readSettings, type Environment } from '../shared/config/read-settings.ts';
import { redisSettings } from '../shared/config/redis-settings.ts';
import { allQueues } from '../shared/contracts/all-queues.ts';
import { openHealthServer } from '../shared/process/open-health-server.ts';
import { runProcess } from '../shared/process/run-process.ts';
import { openProducer, type Producer } from '../shared/queue/open-producer.ts';
import { createLogger, type Logger } from '../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../shared/telemetry/create-metrics.ts';

export interface BackgroundProducer {
  producer: Producer;
  metrics: Metrics;
  log: Logger;
  resources: AsyncDisposableStack;
}

/** Runs a producer that has no interface of its own but the health routes. */
export async function runBackgroundProducer(
  name: string,
  environment: Environment,
  start: (clients: BackgroundProducer) => void,
): Promise<number> {
  const settings = readSettings(
    { process: processSettings, redis: redisSettings, database: databaseSettings },
    environment,
  );
  const log = createLogger({ process: name, level: settings.process.logLevel });
  return runProcess({
    logger: log,
    shutdownGraceMs: settings.process.shutdownGraceMs,
    async start(resources) {
      const metrics = resources.use(createMetrics());
      const producer = await openProducer(
        { redis: settings.redis, database: settings.database, contracts: allQueues, processId: uuid(), log },
        resources,
      );
      const health = resources.use(
        await openHealthServer({
          host: settings.process.host,
          port: settings.process.healthPort,
          registry: metrics.registry,
          checkReadiness: async () => ({
            mysql: (await producer.database.isUp()) ? 'ok' : 'failed',
            redis: (await producer.redis.isUp()) ? 'ok' : 'degraded',
          }),
        }),
      );
      start({ producer, metrics, log, resources });
      return { healthUrl: health.url };
    },
  });
}
