import { randomInt, randomUUID } from 'node:crypto';
import { connectRedis, type RedisClient } from '../../shared/queue/connect-redis.ts';
import type { DatabaseSettings } from '../../shared/config/database-settings.ts';
import type { RedisSettings } from '../../shared/config/redis-settings.ts';
import { callTimePrediction, type Contact } from '../../shared/contracts/call-time-prediction.ts';
import type { ResultOf } from '../../shared/contracts/define-queue.ts';
import type { CallTimePredictionsTable } from '../../shared/database/call-time-predictions-table.ts';
import { openDatabase, type Database } from '../../shared/database/open-database.ts';
import { openSagemakerServer, type SagemakerServer } from '../../shared/emulators/sagemaker-server.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../shared/telemetry/create-metrics.ts';
import { createCallTimeModel } from '../../workers/call-time-prediction/call-time-model.ts';
import { handleCallTimePrediction } from '../../workers/call-time-prediction/handle-call-time-prediction.ts';
import { loadPhoneTimezones } from '../../workers/call-time-prediction/phone-timezone.ts';
import { createPredictionCache } from '../../workers/call-time-prediction/prediction-cache.ts';
import { createPredictionRows } from '../../workers/call-time-prediction/prediction-rows.ts';
import { createTimezoneResolver } from '../../workers/call-time-prediction/resolve-timezone.ts';
import { openSagemakerEndpoint } from '../../shared/sagemaker/sagemaker-endpoint.ts';
import { createTestDatabase } from './create-test-database.ts';
import { testRedisSettings } from './open-test-fleet.ts';
import { busyMachineMs, until } from './until.ts';

export interface RunOptions {
  jobId?: string;
  mayHaveRunBefore?: boolean;
  signal?: AbortSignal;
  progress?: (done: number, total: number) => void;
}

/** The call-time worker's real parts: real Redis, real MySQL, the real SDK before a local server. */
export interface CallTime extends AsyncDisposable {
  server: SagemakerServer;
  redis: RedisClient;
  database: Database;
  metrics: Metrics;
  logLines: string[];
  run(contacts: readonly Contact[], options?: RunOptions): Promise<ResultOf<typeof callTimePrediction>>;
  storedRows(jobId: string): Promise<CallTimePredictionsTable[]>;
  /** The value of one outcome of a counter. */
  counted(counter: 'endpointRequests' | 'cacheRequests', outcome: string): Promise<number>;
}

export interface CallTimeTestOptions {
  redis?: RedisSettings;
  /** A database with the fleet's tables, instead of one that is made and dropped. */
  databaseSettings?: DatabaseSettings;
  /** Shares the server and the database of another one, like a second process. */
  beside?: CallTime;
  withEndpoint?: boolean;
  parallelism?: number;
  endpointTimeoutMs?: number;
  now?: () => number;
}

export async function openCallTime(options: CallTimeTestOptions = {}): Promise<CallTime> {
  const {
    beside,
    withEndpoint = true,
    parallelism = 8,
    endpointTimeoutMs = busyMachineMs,
    now = Date.now,
  } = options;
  // A machine without credentials would be asked for its role first, which takes a second where there is none.
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  const resources = new AsyncDisposableStack();
  const logLines: string[] = [];
  const log = createLogger({ process: 'test', level: 'debug', write: (line) => logLines.push(line) });
  const metrics = resources.use(createMetrics());
  const database = beside?.database ?? (await openOwnDatabase(resources, options.databaseSettings));
  const server = beside?.server ?? resources.use(await openSagemakerServer());
  const connection = resources.use(connectRedis(options.redis ?? testRedisSettings(), 'cache', log));
  if (!options.redis) await until(() => connection.isUp());
  const rows = resources.use(createPredictionRows(database.db));
  const endpoint = resources.use(
    openSagemakerEndpoint({
      region: 'us-east-1',
      endpointName: 'call-times',
      endpointUrl: server.url,
      parallelism,
      timeoutMs: endpointTimeoutMs,
    }),
  );
  const dependencies = {
    resolveTimezone: createTimezoneResolver(await loadPhoneTimezones()),
    cache: createPredictionCache({
      redis: connection.client,
      ttlSeconds: 604_800,
      endpointConfigured: withEndpoint,
      metrics,
    }),
    model: withEndpoint ? createCallTimeModel({ endpoint, parallelism, metrics, log }) : undefined,
    rows,
    now,
  };
  return {
    server,
    redis: connection.client,
    database,
    metrics,
    logLines,
    run(contacts, { jobId = randomUUID(), mayHaveRunBefore = false, signal, progress } = {}) {
      const context: JobContext = {
        jobId,
        attempt: mayHaveRunBefore ? 2 : 1,
        isLastAttempt: false,
        waitedMs: 0,
        mayHaveRunBefore,
        signal: signal ?? new AbortController().signal,
        log,
        progress: progress ?? (() => {}),
        trace: (_name, work) => work({ set: () => undefined }),
      };
      const payload = callTimePrediction.payload.parse({ contacts });
      return handleCallTimePrediction(payload, context, dependencies);
    },
    storedRows(jobId) {
      return database.db
        .selectFrom('call_time_predictions')
        .selectAll()
        .where('job_id', '=', jobId)
        .orderBy('position')
        .execute();
    },
    async counted(counter, outcome) {
      const { values } = await metrics[counter].get();
      return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function openOwnDatabase(
  resources: AsyncDisposableStack,
  given: DatabaseSettings | undefined,
): Promise<Database> {
  const settings = given ?? resources.use(await createTestDatabase()).settings;
  return resources.use(openDatabase(settings));
}

/** A number that no other test has: the cache's keys have no prefix that could tell tests apart. */
export function randomPhoneNumber(): string {
  return `+4915${String(randomInt(1e11)).padStart(11, '0')}`;
}

export function randomContacts(count: number): Contact[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `contact_${index}`,
    phoneNumber: randomPhoneNumber(),
    timezone: 'Europe/Berlin',
  }));
}
