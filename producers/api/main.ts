import { v4 as uuid } from 'uuid';
import { advancedMlSettings } from '../../shared/config/advanced-ml-settings.ts';
import { awsSettings } from '../../shared/config/aws-settings.ts';
import { databaseSettings } from '../../shared/config/database-settings.ts';
import { dynamodbSettings } from '../../shared/config/dynamodb-settings.ts';
import { httpSettings } from '../../shared/config/http-settings.ts';
import { processSettings } from '../../shared/config/process-settings.ts';
import { producerSettings } from '../../shared/config/producer-settings.ts';
import { readSettings, type Environment } from '../../shared/config/read-settings.ts';
import { cacheRedisSettings, redisSettings } from '../../shared/config/redis-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { tracingSettings } from '../../shared/config/tracing-settings.ts';
import { webhookSettings } from '../../shared/config/webhook-settings.ts';
import { workerSettings } from '../../shared/config/worker-settings.ts';
import { openInsightTable } from '../../shared/dynamodb/insight-table.ts';
import type { HealthOptions } from '../../shared/process/health-routes.ts';
import { openHealthPort } from '../../shared/process/open-health-port.ts';
import { runProcess } from '../../shared/process/run-process.ts';
import { connectRedis } from '../../shared/queue/connect-redis.ts';
import { createQueueLimit } from '../../shared/queue/create-queue-limit.ts';
import { openProducer } from '../../shared/queue/open-producer.ts';
import { openResultChannel } from '../../shared/queue/open-result-channel.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics } from '../../shared/telemetry/create-metrics.ts';
import { openTracing } from '../../shared/telemetry/open-tracing.ts';
import { buildServer } from './build-server.ts';
import { checkReadiness } from './check-readiness.ts';
import { createBacklogMeter } from './create-backlog-meter.ts';
import { createLegacyCircuit } from './create-legacy-circuit.ts';
import { findCallTime } from './find-call-time.ts';
import { createLeadModelReader } from './lead-model-reader.ts';
import { createPageReader } from './page-reader.ts';
import { createPredictionReader } from './prediction-reader.ts';
import { createBulkScoreReader } from './read-bulk-scores.ts';

/** The HTTP API. Needs MySQL; works on without Redis, because the relay hands over what was accepted. */
export async function runApi(environment: Environment): Promise<number> {
  const settings = readSettings(
    {
      process: processSettings,
      tracing: tracingSettings,
      producer: producerSettings,
      worker: workerSettings,
      http: httpSettings,
      webhook: webhookSettings,
      advancedMl: advancedMlSettings,
      dynamodb: dynamodbSettings,
      aws: awsSettings,
      redis: redisSettings,
      cacheRedis: cacheRedisSettings,
      database: databaseSettings,
    },
    environment,
  );
  const log = createLogger({ process: 'api', level: settings.process.logLevel });
  return runProcess({
    logger: log,
    shutdownGraceMs: settings.process.shutdownGraceMs,
    async start(resources) {
      const processId = uuid();
      const metrics = resources.use(createMetrics());
      const tracing = resources.use(openTracing('api', settings.tracing));
      const producer = await openProducer(
        { redis: settings.redis, database: settings.database, contracts: allQueues, processId, log },
        resources,
      );
      const subscriber = resources.use(connectRedis(settings.redis, 'subscriber', log));
      const results = resources.use(
        openResultChannel({
          subscriber: subscriber.client,
          name: producer.keys.resultChannel(processId),
          ledger: producer.ledger,
          log,
        }),
      );
      const insightTable = resources.use(openInsightTable({ ...settings.dynamodb, ...settings.aws }, log));
      const cache = settings.cacheRedis
        ? resources.use(connectRedis(settings.cacheRedis, 'producer', log))
        : producer.redis;
      const stopping = new AbortController();
      const health: HealthOptions = {
        registry: metrics.registry,
        checkReadiness: () =>
          checkReadiness({
            ...producer,
            insightTable: settings.dynamodb.isConfigured ? insightTable : undefined,
          }),
      };
      const server = await buildServer({
        ...producer,
        access: settings.process.access,
        webhook: { settings: settings.webhook },
        queues: allQueues.map(({ name }) => name),
        queueLimit: createQueueLimit(producer.ledger, settings.producer.queueMaxDepth),
        results,
        stopping: stopping.signal,
        insightTable,
        pages: createPageReader({ db: producer.database.db, redis: cache.client, metrics, log }),
        predictions: createPredictionReader(producer.database.db),
        findCallTime: (phoneNumber) => findCallTime(producer.database.db, phoneNumber),
        readBulkScores: createBulkScoreReader({ db: producer.database.db, ledger: producer.ledger }),
        readLeadModels: createLeadModelReader(producer),
        measureBacklog: createBacklogMeter({ ...producer, jobsAtOnce: settings.worker.concurrency }),
        legacyCircuit: settings.advancedMl.legacyEnabled ? createLegacyCircuit({ metrics, log }) : undefined,
        log,
        metrics,
        tracing,
        ...health,
      });
      resources.defer(() => server.close());
      const url = await server.listen({ host: settings.process.host, port: settings.http.port });
      const healthUrl = (await openHealthPort(settings.process, health, resources)) ?? url;
      // Requests that wait for a result are answered now, so that closing the server is quick.
      resources.defer(() => stopping.abort());
      return { url, healthUrl };
    },
  });
}
