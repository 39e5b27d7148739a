import { v4 as uuid } from 'uuid';
import { databaseSettings } from '../shared/config/database-settings.ts';
import { processSettings } from '../shared/config/process-settings.ts';
import {
  ConfigurationError,
  readSettings,
  type Environment,
  type SettingProblem,
} from '../shared/config/read-settings.ts';
import { redisSettings } from '../shared/config/redis-settings.ts';
import { tracingSettings } from '../shared/config/tracing-settings.ts';
import { workerSettings } from '../shared/config/worker-settings.ts';
import { allQueues } from '../shared/contracts/all-queues.ts';
import type { CheckState, ReadinessCheck } from '../shared/process/health-routes.ts';
import { openHealthServer } from '../shared/process/open-health-server.ts';
import { runProcess } from '../shared/process/run-process.ts';
import { connectRedis } from '../shared/queue/connect-redis.ts';
import { openConsumer, type Consumer } from '../shared/queue/open-consumer.ts';
import { openProducer } from '../shared/queue/open-producer.ts';
import type { OpenWorker, WorkerClients } from '../shared/queue/worker-clients.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import { createMetrics } from '../shared/telemetry/create-metrics.ts';
import { openTracing } from '../shared/telemetry/open-tracing.ts';
import { allWorkers } from './all-workers.ts';

/** One process that serves the given queues, each with its own consumer. */
export async function runWorkers(queues: readonly string[], environment: Environment): Promise<number> {
  const { settings, openWorkers } = await readEverything(queues, environment);
  const log = createLogger({ process: queues.join('+'), level: settings.process.logLevel });
  return runProcess({
    logger: log,
    shutdownGraceMs: settings.process.shutdownGraceMs,
    async start(resources) {
      const metrics = resources.use(createMetrics());
      const tracing = resources.use(openTracing(queues.join('+'), settings.tracing));
      const consumers: { queue: string; consumer: Consumer }[] = [];
      const ownChecks: ReadinessCheck[] = [];
      let started = false;
      let url: string | undefined;

      const producer = await openProducer(
        { redis: settings.redis, database: settings.database, contracts: allQueues, processId: uuid(), log },
        resources,
      );
      const health = resources.use(
        await openHealthServer({
          host: settings.process.host,
          port: settings.process.healthPort,
          registry: metrics.registry,
          async checkReadiness() {
            const checks: Record<string, CheckState> = {
              started: started ? 'ok' : 'failed',
              mysql: (await producer.database.isUp()) ? 'ok' : 'failed',
              redis: (await producer.redis.isUp()) ? 'ok' : 'failed',
            };
            for (const { queue, consumer } of consumers) {
              const state = consumer.state();
              checks[queue] = state === 'paused' || state === 'stalled' ? 'failed' : 'ok';
            }
            for (const check of ownChecks) Object.assign(checks, await check());
            return checks;
          },
        }),
      );
      const subscriber = resources.use(connectRedis(settings.redis, 'subscriber', log));
      const clients: WorkerClients = {
        redis: settings.redis,
        keys: producer.keys,
        database: producer.database,
        log,
        metrics,
        tracing,
        enqueue: producer.enqueue,
        consume(contract, handlers, { ownStoreIsUp } = {}) {
          const connection = resources.use(connectRedis(settings.redis, 'worker', log));
          const consumer = openConsumer({
            contract,
            handlers,
            store: producer.ledger,
            dispatcher: producer.dispatcher,
            connection: connection.client,
            publisher: producer.redis.client,
            subscriber: subscriber.client,
            keys: producer.keys,
            concurrency: settings.worker.concurrency,
            storeIsUp: async () => (await producer.database.isUp()) && ((await ownStoreIsUp?.()) ?? true),
            finishWithinMs: finishWithinMs(settings.process.shutdownGraceMs),
            log,
            metrics,
            tracing,
          });
          consumers.push({ queue: contract.name, consumer: resources.use(consumer) });
        },
        listensAt(at) {
          url = at;
        },
      };
      for (const open of openWorkers) ownChecks.push(await open(resources, clients));
      started = true;
      return { ...(url === undefined ? {} : { url }), healthUrl: health.url };
    },
  });
}

/** Leaves the last part of the grace period for releasing what could not be finished. */
function finishWithinMs(shutdownGraceMs: number): number {
  return shutdownGraceMs - Math.min(8_000, shutdownGraceMs / 2);
}

async function readEverything(queues: readonly string[], environment: Environment) {
  const problems: SettingProblem[] = [];
  function attempt<Value>(read: () => Value): Value | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  }
  const settings = attempt(() =>
    readSettings(
      {
        process: processSettings,
        tracing: tracingSettings,
        redis: redisSettings,
        database: databaseSettings,
        worker: workerSettings,
      },
      environment,
    ),
  );
  const openWorkers: OpenWorker[] = [];
  for (const queue of queues) {
    const load = allWorkers[queue];
    if (!load) throw new Error(`there is no worker for the queue ${queue}`);
    const { prepareWorker } = await load();
    const open = attempt(() => prepareWorker(environment));
    if (open) openWorkers.push(open);
  }
  if (!settings || problems.length > 0) throw new ConfigurationError(problems);
  return { settings, openWorkers };
}
