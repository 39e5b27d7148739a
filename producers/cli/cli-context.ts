import { v4 as uuid } from 'uuid';
import { databaseSettings } from '../../shared/config/database-settings.ts';
import { producerSettings } from '../../shared/config/producer-settings.ts';
import { readSettings, type Environment } from '../../shared/config/read-settings.ts';
import { redisSettings } from '../../shared/config/redis-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { StoreUnavailableError } from '../../shared/errors/job-error.ts';
import { createQueueLimit, type QueueLimit } from '../../shared/queue/create-queue-limit.ts';
import { openProducer, type Producer } from '../../shared/queue/open-producer.ts';
import { connectRedis } from '../../shared/queue/connect-redis.ts';
import { openResultChannel, type ResultChannel } from '../../shared/queue/open-result-channel.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';

const redisWaitMs = 5_000;

/** Where a command reads and writes; tests give their own. */
export interface CliContext {
  /** With the addresses of a stack that runs in this folder, where the environment names none. */
  environment: Environment;
  /** Without them: what a new stack starts from. */
  stackEnvironment: Environment;
  workingDirectory: string;
  input: NodeJS.ReadableStream;
  /** Results: one JSON document, or lines for people. */
  output: NodeJS.WritableStream;
  /** Everything else, progress bars too. */
  messages: NodeJS.WritableStream & { isTTY?: boolean };
}

export interface CliClients extends Producer {
  results: ResultChannel;
  queueLimit: QueueLimit;
}

/** Runs a command with the ledger and Redis at hand, and closes them afterwards. */
export async function withClients<Value>(
  { environment }: CliContext,
  command: (clients: CliClients) => Promise<Value>,
): Promise<Value> {
  const settings = readSettings(
    { producer: producerSettings, redis: redisSettings, database: databaseSettings },
    environment,
  );
  const log = createLogger({ process: 'cli', level: 'error' });
  await using resources = new AsyncDisposableStack();
  const processId = uuid();
  const producer = await openProducer({ ...settings, contracts: allQueues, processId, log }, resources);
  const subscriber = resources.use(connectRedis(settings.redis, 'subscriber', log));
  const results = resources.use(
    openResultChannel({
      subscriber: subscriber.client,
      name: producer.keys.resultChannel(processId),
      ledger: producer.ledger,
      log,
    }),
  );
  const queueLimit = createQueueLimit(producer.ledger, settings.producer.queueMaxDepth);
  return await command({ ...producer, results, queueLimit });
}

/**
 * For commands that Redis alone can answer; all others work without it.
 *
 * @throws StoreUnavailableError when it does not answer in time
 */
export async function requireRedis({ redis }: CliClients): Promise<void> {
  await redis.untilReady(redisWaitMs);
  if (redis.client.status !== 'ready') throw new StoreUnavailableError('redis', undefined);
}

/** One JSON document: indented for people at a terminal, on one line for programs. */
export function writeJson(output: NodeJS.WritableStream, value: unknown): void {
  const indent = 'isTTY' in output && output.isTTY === true ? 2 : 0;
  output.write(`${JSON.stringify(value, null, indent)}\n`);
}
