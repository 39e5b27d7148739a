import type { RedisSettings } from '../config/redis-settings.ts';
import type { QueueContract } from '../contracts/define-queue.ts';
import type { Database } from '../database/open-database.ts';
import type { ReadinessCheck } from '../process/health-routes.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { Metrics } from '../telemetry/create-metrics.ts';
import type { Tracing } from '../telemetry/open-tracing.ts';
import type { Enqueue } from './enqueue.ts';
import type { Handlers } from './handlers.ts';
import type { RedisKeys } from './redis-keys.ts';

export interface ConsumeOptions {
  /** Whether the store that this queue needs besides MySQL answers. Never rejects. */
  ownStoreIsUp?: () => Promise<boolean>;
}

/** What a worker process hands to each queue that it serves. */
export interface WorkerClients {
  /** Where the queues' Redis is; caches use it unless they have their own. */
  redis: RedisSettings;
  /** Names in the queues' Redis. */
  keys: RedisKeys;
  database: Database;
  log: Logger;
  metrics: Metrics;
  tracing: Tracing;
  /** For jobs that this worker's jobs give rise to. */
  enqueue: Enqueue;
  /** Starts to take jobs; stops, before everything that was opened earlier, with the process. */
  consume<Contract extends QueueContract>(
    contract: Contract,
    handlers: Handlers<Contract>,
    options?: ConsumeOptions,
  ): void;
  /** Says where this worker's own HTTP interface listens; most have none. */
  listensAt(url: string): void;
}

/** Opens one queue's adapters and starts to consume it. Answers checks of its own for readiness. */
export type OpenWorker = (resources: AsyncDisposableStack, clients: WorkerClients) => Promise<ReadinessCheck>;

/** Reads one queue's settings, before anything is connected. Throws ConfigurationError. */
export type PrepareWorker = (environment: Readonly<Record<string, string | undefined>>) => OpenWorker;
