import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { databaseFromUrl } from '../../shared/config/database-settings.ts';
import type { Environment } from '../../shared/config/read-settings.ts';
import { environmentWithAddresses } from '../../shared/config/stack-addresses.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { inventAnswer } from '../../shared/emulators/invent-answer.ts';
import { openLlmServer, type LlmServer } from '../../shared/emulators/llm-server.ts';
import { openSagemakerServer } from '../../shared/emulators/sagemaker-server.ts';
import { openProducer, type Producer } from '../../shared/queue/open-producer.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import type { RedisCluster } from './open-redis-cluster.ts';
import { runUp, type UpProcess } from './run-up.ts';

/** Every process of the fleet for real, started by `presage up`, on a Redis Cluster. */
export interface ClusterFleet extends AsyncDisposable {
  up: UpProcess;
  /** For commands. */
  environment: Environment;
  /** Stands in for every vendor of language models. */
  llm: LlmServer;
  /** A producer beside the fleet. */
  clients: Producer;
}

export async function openClusterFleet({ settings, nodes }: RedisCluster): Promise<ClusterFleet> {
  await using resources = new AsyncDisposableStack();
  const directory = await mkdtemp(path.join(tmpdir(), 'presage-test-'));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  // So that jobs are in hand whenever something happens.
  const llm = resources.use(await openLlmServer({ answer: inventAnswer, latencyMs: 100 }));
  const endpoint = resources.use(await openSagemakerServer({ latencyMs: 100 }));
  const given = {
    REDIS_CLUSTER_NODES: nodes.map(({ host, port }) => `${host}:${port}`).join(','),
    // On leap days: ticks are a test's own.
    PATTERN_SWEEP_CRON: '0 0 29 2 *',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    SAGEMAKER_ENDPOINT_NAME: 'test-endpoint',
    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: endpoint.url,
    USE_BEDROCK: 'true',
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: llm.url,
    TOGETHER_BASE_URL: llm.chatUrl,
    // Counted in Redis, and more than is asked.
    BEDROCK_RPM: '10000',
    TOGETHER_RPM: '10000',
  };
  const up = resources.use(await runUp(directory, ['--ephemeral'], given));
  const clients = await openProducer(
    {
      redis: settings,
      database: { ...databaseFromUrl(up.stack().mysql), poolSize: 5, tls: false },
      contracts: allQueues,
      processId: 'test',
      log: createLogger({ process: 'test', level: 'silent' }),
    },
    resources,
  );
  const owned = resources.move();
  return {
    up,
    environment: environmentWithAddresses(given, up.stack()),
    llm,
    clients,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
