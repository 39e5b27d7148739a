import { randomUUID } from 'node:crypto';
import type { Insertable, Selectable } from 'kysely';
import { insertActivity } from '../../shared/activity/insert-activity.ts';
import { readUserActivity } from '../../shared/activity/read-user-activity.ts';
import { contentGeneration, type GeneratedPage } from '../../shared/contracts/content-generation.ts';
import type { GenerationQueueTable } from '../../shared/database/generation-queue-table.ts';
import type { LlmCallsTable } from '../../shared/database/llm-calls-table.ts';
import { openDatabase, type Database } from '../../shared/database/open-database.ts';
import type { PageCacheTable } from '../../shared/database/page-cache-table.ts';
import { StoreUnavailableError } from '../../shared/errors/job-error.ts';
import { openLlmServer, type LlmServer } from '../../shared/emulators/llm-server.ts';
import { dropPageCopy } from '../../shared/pages/page-copies.ts';
import type { PageDocument } from '../../shared/pages/page-document.ts';
import { connectRedis, type RedisConnection } from '../../shared/queue/connect-redis.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../shared/telemetry/create-metrics.ts';
import { openBedrock } from '../../shared/text-generation/bedrock.ts';
import { openOpenai } from '../../shared/text-generation/openai.ts';
import { openTextGeneration } from '../../shared/text-generation/open-text-generation.ts';
import {
  handleContentGeneration,
  type ContentGenerationDependencies,
} from '../../workers/content-generation/handle-content-generation.ts';
import { createPredictionRows } from '../../workers/content-generation/prediction-rows.ts';
import { createTestDatabase } from './create-test-database.ts';
import { makeJobContext } from './make-job-context.ts';
import { testRedisSettings } from './open-test-fleet.ts';
import { busyMachineMs, until } from './until.ts';

export const contentModel = 'global.anthropic.claude-sonnet-4-6';
export const openaiModel = 'gpt-4.1';
export const pageTtlSeconds = 86_400;

export const hourMs = 3_600_000;

/** What the local server answers unless a test says otherwise. */
export const samplePage: PageDocument = {
  title: 'Your morning dashboard',
  blocks: [
    { kind: 'heading', text: 'Before you begin' },
    { kind: 'paragraph', text: 'You mostly read the report next.' },
    { kind: 'list', items: ['Open the dashboard', 'Read the report'] },
    { kind: 'facts', items: [{ label: 'Usual', value: 'Mon to Fri, 9 to 10' }] },
    { kind: 'links', items: [{ label: 'The report', page_key: 'report' }] },
  ],
};

/** What pages are made with: a real MySQL and Redis, models' wire formats, and a clock of the test's own. */
export interface ContentRoom extends AsyncDisposable {
  llm: LlmServer;
  database: Database;
  redis: RedisConnection;
  /** Changes what the next good answers say; `undefined`: the sample page. */
  answer(page: unknown): void;
  openWorker(options?: ContentWorkerOptions): ContentWorker;
  /** Writes a row of `generation_queue`, of a user of its own, whose window begins in an hour and takes an hour. */
  predict(changes?: Partial<Insertable<GenerationQueueTable>>): Promise<Selectable<GenerationQueueTable>>;
  /** The same for a user who knows the page that the sample page links to. */
  predictReader(
    changes?: Partial<Insertable<GenerationQueueTable>>,
  ): Promise<Selectable<GenerationQueueTable>>;
  /** Writes what a user did: activity and how many minutes ago. */
  act(userId: string, events: readonly (readonly [activity: string, minutesAgo: number])[]): Promise<void>;
  row(id: number): Promise<Selectable<GenerationQueueTable>>;
  /** A user's pages, as they are stored. */
  pages(userId: string): Promise<Selectable<PageCacheTable>[]>;
  /** The journal of one job, in the order of its calls. */
  calls(jobId: string): Promise<Selectable<LlmCallsTable>[]>;
}

export interface ContentWorkerOptions extends Partial<
  Pick<ContentGenerationDependencies, 'policy' | 'callTimeoutMs' | 'dropCopy' | 'now'>
> {
  withBedrock?: boolean;
  withOpenai?: boolean;
  /** What happens elsewhere while a page is being made. */
  meanwhile?: () => Promise<unknown>;
  /** Fails where the page is to be stored, as when MySQL goes away at that moment. */
  cannotStore?: boolean;
}

/** The content worker's real parts, with the real SDKs before the room's local server. */
export interface ContentWorker {
  metrics: Metrics;
  logLines: string[];
  /** Does one run of the job of a prediction, of a new job unless the context names one. */
  run(generationId: number, context?: Partial<JobContext>): Promise<GeneratedPage>;
}

export async function openContentRoom(): Promise<ContentRoom> {
  // A machine without credentials would be asked for its role first, which takes a second where there is none.
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  await using resources = new AsyncDisposableStack();
  let answer: unknown = samplePage;
  const llm = resources.use(await openLlmServer({ answer: () => JSON.stringify(answer) }));
  const { settings } = resources.use(await createTestDatabase());
  const database = resources.use(openDatabase(settings));
  const { db } = database;
  const silent = createLogger({ process: 'test', level: 'silent' });
  const redis = resources.use(connectRedis(testRedisSettings(), 'producer', silent));
  await until(() => redis.isUp());
  const owned = resources.move();

  return {
    llm,
    database,
    redis,
    answer(page = samplePage) {
      answer = page;
    },
    openWorker(options = {}) {
      const {
        withBedrock = true,
        withOpenai = true,
        callTimeoutMs = busyMachineMs,
        now = () => Date.now(),
      } = options;
      const { policy = { patienceMs: 600_000, degradedAnswers: 'allow' } } = options;
      const { dropCopy = (userId, pageKey) => dropPageCopy(redis.client, userId, pageKey) } = options;
      const rows = createPredictionRows({ db, pageTtlSeconds, now });
      const logLines: string[] = [];
      const log = createLogger({ process: 'test', level: 'trace', write: (line) => logLines.push(line) });
      const metrics = owned.use(createMetrics());
      const bedrock = { region: 'us-east-1', endpointUrl: llm.url, model: contentModel };
      const openai = { apiKey: 'key-of-the-test', baseUrl: llm.chatUrl, model: openaiModel };
      const textGeneration = owned.use(
        openTextGeneration({
          queue: contentGeneration.name,
          generators: [
            ...(withBedrock ? [owned.use(openBedrock(bedrock))] : []),
            ...(withOpenai ? [owned.use(openOpenai(openai))] : []),
          ],
          limits: {},
          db,
          redis: redis.client,
          metrics,
          log,
          processId: randomUUID(),
        }),
      );
      const dependencies: ContentGenerationDependencies = {
        rows: options.cannotStore
          ? { ...rows, complete: () => Promise.reject(new StoreUnavailableError('mysql', undefined)) }
          : rows,
        async readActivity(userId, nowMs) {
          await options.meanwhile?.();
          return readUserActivity(db, userId, { from: new Date(0), before: new Date(nowMs), limit: 1_000 });
        },
        textGeneration,
        bedrockIsConfigured: withBedrock,
        policy,
        dropCopy,
        callTimeoutMs,
        now,
        metrics,
      };
      return {
        metrics,
        logLines,
        run(generationId, context = {}) {
          return handleContentGeneration(
            contentGeneration.payload.parse({ generation_id: generationId }),
            makeJobContext({ log, ...context }),
            dependencies,
          );
        },
      };
    },
    predict,
    async predictReader(changes) {
      const row = await predict(changes);
      await act(row.user_id, [
        ['report', 30],
        ['dashboard', 60],
        ['report', 1_500],
      ]);
      return row;
    },
    act,
    row: rowOf,
    pages(userId) {
      return db.selectFrom('page_cache').selectAll().where('user_id', '=', userId).execute();
    },
    calls(jobId) {
      return db.selectFrom('llm_calls').selectAll().where('job_id', '=', jobId).orderBy('ask').execute();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };

  async function predict(
    changes: Partial<Insertable<GenerationQueueTable>> = {},
  ): Promise<Selectable<GenerationQueueTable>> {
    const { insertId } = await db
      .insertInto('generation_queue')
      .values({
        user_id: `user_${randomUUID()}`,
        page_key: 'dashboard',
        pattern: JSON.stringify({
          kind: 'time',
          activity: 'dashboard',
          weekdays: [1, 2, 3, 4, 5],
          hour_start: 9,
          hour_end: 10,
        }),
        confidence: 0.8,
        window_start: new Date(Date.now() + hourMs),
        window_end: new Date(Date.now() + 2 * hourMs),
        ...changes,
      })
      .executeTakeFirstOrThrow();
    return await rowOf(Number(insertId));
  }

  async function act(
    userId: string,
    events: readonly (readonly [activity: string, minutesAgo: number])[],
  ): Promise<void> {
    const nowMs = Date.now();
    await insertActivity(
      db,
      events.map(([activity, minutesAgo]) => ({
        event_id: randomUUID(),
        user_id: userId,
        activity_type: activity,
        occurred_at: new Date(nowMs - minutesAgo * 60_000),
        timezone: 'Europe/Berlin',
        metadata: null,
      })),
    );
  }

  function rowOf(id: number): Promise<Selectable<GenerationQueueTable>> {
    return db.selectFrom('generation_queue').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  }
}
