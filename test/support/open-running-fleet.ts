import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateStores } from '../../producers/cli/migrate-stores.ts';
import { installSamples } from '../../producers/cli/models/install-samples.ts';
import { startFleet, type Fleet } from '../../producers/cli/start-fleet.ts';
import { databaseFromUrl } from '../../shared/config/database-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import type { EmbeddedServer } from '../../shared/embedded/embedded-server.ts';
import { openGuard } from '../../shared/embedded/open-guard.ts';
import { openSagemakerServer, type SagemakerServer } from '../../shared/emulators/sagemaker-server.ts';
import type { Environment } from '../../shared/config/read-settings.ts';
import { openProducer, type Producer } from '../../shared/queue/open-producer.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { openPrivateServers } from './open-private-servers.ts';
import { randomPhoneNumber } from './open-call-time.ts';
import { until } from './until.ts';

/** Every process of the fleet for real, on servers that the test may stop and kill. */
export interface RunningFleet extends AsyncDisposable {
  fleet: Fleet;
  redis: EmbeddedServer;
  mysql: EmbeddedServer;
  endpoint: SagemakerServer;
  /** Where the processes write their logs. */
  logDirectory: string;
  /** For looking at the ledger and at Redis from outside the fleet. */
  clients: Producer;
  /** Sends one request to the API. */
  post(contacts: readonly unknown[], query?: string): Promise<Response>;
  /** Accepts jobs of so many new contacts each; answers their ids. */
  submit(jobs: number, contactsPerJob: number): Promise<string[]>;
  /** Waits until all these jobs are settled, and answers their states. */
  settled(ids: readonly string[]): Promise<string[]>;
}

/** Whatever this machine is set up for, no test asks a real vendor or tells a real topic. */
const withoutVendors: Environment = {
  USE_BEDROCK: 'false',
  OPENAI_API_KEY: '',
  OPENAI_BASE_URL: '',
  TOGETHER_AI_KEY: '',
  TOGETHER_API_KEY: '',
  TOGETHER_BASE_URL: '',
  INSIGHT_SNS_TOPIC_ARN: '',
};

export interface RunningFleetOptions {
  /** The queues whose workers are started; all without it. */
  workers?: readonly string[];
  replicas?: Record<string, number>;
  environment?: Environment;
  /** What MySQL is to hold before the fleet finds it. */
  prepareMysql?: (mysql: EmbeddedServer) => Promise<void>;
}

export async function openRunningFleet(options: RunningFleetOptions = {}): Promise<RunningFleet> {
  await using resources = new AsyncDisposableStack();
  const servers = resources.use(await openPrivateServers());
  const [redis, mysql] = await Promise.all([servers.startRedis(), servers.startMysql()]);
  await options.prepareMysql?.(mysql);
  const endpoint = resources.use(await openSagemakerServer());
  const guard = resources.use(await openGuard());
  const directory = await mkdtemp(join(tmpdir(), 'presage-test-'));
  guard.removeAtEnd(directory);
  const log = createLogger({ process: 'test', level: 'silent' });
  const databaseSettings = { ...databaseFromUrl(mysql.url), poolSize: 5, tls: false };
  const fleet = resources.use(
    await startFleet({
      ephemeral: true,
      port: 0,
      environment: {
        ...process.env,
        REDIS_URL: redis.url,
        DATABASE_URL: mysql.url,
        // On leap days: ticks are a test's own.
        PATTERN_SWEEP_CRON: '0 0 29 2 *',
        SAGEMAKER_ENDPOINT_NAME: 'test-endpoint',
        AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: endpoint.url,
        ...withoutVendors,
        ...options.environment,
      },
      workingDirectory: directory,
      workers: options.workers,
      replicas: options.replicas,
      async migrate(environment) {
        await migrateStores(environment);
        await installSamples(environment, () => undefined);
      },
      guard,
      logger: log,
      logDirectory: directory,
    }),
  );
  const clients = await openProducer(
    {
      redis: { kind: 'url', url: redis.url },
      database: databaseSettings,
      contracts: allQueues,
      processId: 'test',
      log,
    },
    resources,
  );

  function post(contacts: readonly unknown[], query = ''): Promise<Response> {
    return fetch(`${fleet.describe().api}/v1/call-times${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ contacts }),
    });
  }
  const owned = resources.move();
  return {
    fleet,
    redis,
    mysql,
    endpoint,
    logDirectory: directory,
    clients,
    post,
    submit(jobs, contactsPerJob) {
      return Promise.all(
        Array.from({ length: jobs }, async () => {
          const response = await post(newContacts(contactsPerJob));
          if (response.status !== 202) throw new Error(`refused with ${response.status}`);
          const body: unknown = await response.json();
          if (typeof body !== 'object' || body === null || !('job_id' in body)) throw new Error('no job id');
          return String(body.job_id);
        }),
      );
    },
    async settled(ids) {
      await until(async () => (await clients.ledger.settledAmong(ids)).length === ids.length);
      const records = await clients.ledger.list({ ids, limit: ids.length });
      return records.map((record) => record.state);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function newContacts(count: number): { id: string; phoneNumber: string; timezone: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `contact-${index}`,
    phoneNumber: randomPhoneNumber(),
    timezone: 'Asia/Jerusalem',
  }));
}
