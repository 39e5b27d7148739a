import { v4 as uuid } from 'uuid';
import { dashboardSettings } from '../../shared/config/dashboard-settings.ts';
import { databaseSettings } from '../../shared/config/database-settings.ts';
import { processSettings } from '../../shared/config/process-settings.ts';
import { readSettings, type Environment } from '../../shared/config/read-settings.ts';
import { redisSettings } from '../../shared/config/redis-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import type { HealthOptions } from '../../shared/process/health-routes.ts';
import { openHealthPort } from '../../shared/process/open-health-port.ts';
import { runProcess } from '../../shared/process/run-process.ts';
import { openProducer } from '../../shared/queue/open-producer.ts';
import { openReadOnlyQueues } from '../../shared/queue/open-read-only-queues.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics } from '../../shared/telemetry/create-metrics.ts';
import { buildDashboard } from './build-dashboard.ts';

/** Bull Board and the ledger's pages. Needs MySQL; without Redis the ledger's pages work on. */
export async function runDashboard(environment: Environment): Promise<number> {
  const settings = readSettings(
    {
      process: processSettings,
      dashboard: dashboardSettings,
      redis: redisSettings,
      database: databaseSettings,
    },
    environment,
  );
  const log = createLogger({ process: 'dashboard', level: settings.process.logLevel });
  return runProcess({
    logger: log,
    shutdownGraceMs: settings.process.shutdownGraceMs,
    async start(resources) {
      const metrics = resources.use(createMetrics());
      const producer = await openProducer(
        { redis: settings.redis, database: settings.database, contracts: allQueues, processId: uuid(), log },
        resources,
      );
      const readOnlyQueues = resources.use(
        openReadOnlyQueues({
          connection: producer.redis.client,
          contracts: allQueues,
          keys: producer.keys,
          log,
        }),
      );
      const health: HealthOptions = {
        registry: metrics.registry,
        checkReadiness: async () => ({
          mysql: (await producer.database.isUp()) ? 'ok' : 'failed',
          redis: (await producer.redis.isUp()) ? 'ok' : 'degraded',
        }),
      };
      const server = await buildDashboard({
        ...producer,
        readOnlyQueues,
        access: settings.process.access,
        log,
        metrics,
        ...health,
      });
      resources.defer(() => server.close());
      const url = await server.listen({ host: settings.process.host, port: settings.dashboard.port });
      return { url, healthUrl: (await openHealthPort(settings.process, health, resources)) ?? url };
    },
  });
}
