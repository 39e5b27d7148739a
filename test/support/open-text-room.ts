import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { VendorLimits } from '../../shared/config/text-generation-settings.ts';
import type { DatabaseSettings } from '../../shared/config/database-settings.ts';
import type { LlmCallsTable } from '../../shared/database/llm-calls-table.ts';
import { openDatabase, type Database } from '../../shared/database/open-database.ts';
import { openLlmServer, type LlmServer } from '../../shared/emulators/llm-server.ts';
import { JobError } from '../../shared/errors/job-error.ts';
import { connectRedis, type RedisConnection } from '../../shared/queue/connect-redis.ts';
import { RedisKeys } from '../../shared/queue/redis-keys.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../shared/telemetry/create-metrics.ts';
import { openBedrock } from '../../shared/text-generation/bedrock.ts';
import {
  openTextGeneration,
  type GenerationContext,
  type GenerationRequest,
  type TextGeneration,
} from '../../shared/text-generation/open-text-generation.ts';
import { openOpenai } from '../../shared/text-generation/openai.ts';
import type { Provider, TextGenerator } from '../../shared/text-generation/text-generator.ts';
import { createTestDatabase } from './create-test-database.ts';
import { testRedisSettings } from './open-test-fleet.ts';
import { busyMachineMs } from './until.ts';

export const bedrockModel = 'global.anthropic.claude-haiku-4-5-20251001-v1:0';
export const openaiModel = 'gpt-4.1';

export const verdictSchema = z.object({
  score: z.number().min(0).max(100),
  reasons: z.array(z.string().min(1)).min(2).max(3),
});
export type Verdict = z.output<typeof verdictSchema>;

/** The room on a test's own database and counters, with the real SDKs before a local server. */
export interface TextRoom extends AsyncDisposable {
  server: LlmServer;
  database: Database;
  databaseSettings: DatabaseSettings;
  redis: RedisConnection;
  logLines: string[];
  /** One process's room; closed with the test. */
  open(options?: OpenRoomOptions): OpenedRoom;
  rows(jobId?: string): Promise<LlmCallsTable[]>;
}

export interface OpenRoomOptions {
  /** Instead of Bedrock and then OpenAI. */
  generators?: readonly TextGenerator[];
  limits?: Partial<Record<Provider, VendorLimits>>;
  redis?: RedisConnection;
  database?: Database;
}

export interface OpenedRoom {
  generation: TextGeneration;
  metrics: Metrics;
  processId: string;
  /** Calls by outcome, and circuits, as `/metrics` shows them. */
  counted(provider: Provider, outcome: string): Promise<number>;
}

export async function openTextRoom(): Promise<TextRoom> {
  // A machine without credentials would be asked for its role first, which takes a second where there is none.
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  await using resources = new AsyncDisposableStack();
  const testDatabase = resources.use(await createTestDatabase());
  const database = resources.use(openDatabase(testDatabase.settings));
  const server = resources.use(await openLlmServer());
  const logLines: string[] = [];
  const log = createLogger({ process: 'test', level: 'debug', write: (line) => logLines.push(line) });
  const redis = resources.use(connectRedis(testRedisSettings(), 'cache', log));
  await redis.untilReady(busyMachineMs);
  const keys = new RedisKeys(`test-${randomBytes(6).toString('hex')}`);
  const owned = resources.move();

  return {
    server,
    database,
    databaseSettings: testDatabase.settings,
    redis,
    logLines,
    open(options = {}) {
      const metrics = owned.use(createMetrics());
      const processId = randomUUID();
      const generators = options.generators ?? [
        owned.use(openBedrock({ region: 'us-east-1', endpointUrl: server.url, model: bedrockModel })),
        owned.use(openOpenai({ apiKey: 'test', baseUrl: server.chatUrl, model: openaiModel })),
      ];
      const generation = owned.use(
        openTextGeneration({
          queue: 'churn-insight',
          generators,
          limits: options.limits ?? {},
          db: (options.database ?? database).db,
          redis: (options.redis ?? redis).client,
          keys,
          metrics,
          log,
          processId,
        }),
      );
      return {
        generation,
        metrics,
        processId,
        async counted(provider, outcome) {
          const { values } = await metrics.llmRequests.get();
          return values
            .filter(({ labels }) => labels.provider === provider && labels.outcome === outcome)
            .reduce((sum, { value }) => sum + value, 0);
        },
      };
    },
    async rows(jobId) {
      const query = database.db
        .selectFrom('llm_calls')
        .selectAll()
        .orderBy('job_id')
        .orderBy('step')
        .orderBy('ask');
      return await (jobId === undefined ? query : query.where('job_id', '=', jobId)).execute();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function verdictRequest(
  overrides: Partial<GenerationRequest<Verdict>> = {},
): GenerationRequest<Verdict> {
  return {
    step: 'verdict',
    system: 'You judge risks.',
    user: 'Judge the risk of case 7.',
    answer: { name: 'verdict', schema: verdictSchema },
    maxOutputTokens: 200,
    temperature: 0.7,
    timeoutMs: busyMachineMs,
    ...overrides,
  };
}

export function runContext(overrides: Partial<GenerationContext> = {}): GenerationContext {
  return {
    jobId: randomUUID(),
    mayHaveRunBefore: false,
    signal: new AbortController().signal,
    trace: (_name, work) => work({ set: () => undefined }),
    log: createLogger({ process: 'test', level: 'silent' }),
    ...overrides,
  };
}

/** The JobError that the promise is rejected with. */
export async function failureOf(generated: Promise<unknown>): Promise<JobError> {
  const error = await generated.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof JobError) return error;
  throw new Error('no JobError was thrown', { cause: error });
}
