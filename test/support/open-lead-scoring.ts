import pLimit from 'p-limit';
import { openAiEvents } from '../../shared/ai-events/open-ai-events.ts';
import type { DatabaseSettings } from '../../shared/config/database-settings.ts';
import type { RedisSettings } from '../../shared/config/redis-settings.ts';
import {
  leadBatchSchema,
  leadModelId,
  type LeadChunk,
  type LeadChunkResult,
  type LeadScores,
} from '../../shared/contracts/lead-scoring.ts';
import type { AiEventsTable } from '../../shared/database/ai-events-table.ts';
import type { LeadScoresTable } from '../../shared/database/lead-scores-table.ts';
import type { LeadShadowScoresTable } from '../../shared/database/lead-shadow-scores-table.ts';
import { openDatabase, type Database } from '../../shared/database/open-database.ts';
import { readLeads } from '../../shared/leads/read-leads.ts';
import { writeLeads } from '../../shared/leads/write-leads.ts';
import { openServedModel } from '../../shared/models/open-served-model.ts';
import { connectRedis, type RedisClient } from '../../shared/queue/connect-redis.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../shared/telemetry/create-metrics.ts';
import type { LeadScoringDependencies } from '../../workers/lead-scoring/score-and-record.ts';
import { scoreBatch } from '../../workers/lead-scoring/score-batch.ts';
import { scoreChunk } from '../../workers/lead-scoring/score-chunk.ts';
import { openShadow, type ShadowOptions } from '../../workers/lead-scoring/open-shadow.ts';
import { createScoreCache } from '../../workers/lead-scoring/score-cache.ts';
import { createScoreRows } from '../../workers/lead-scoring/score-rows.ts';
import { createShadowRows } from '../../workers/lead-scoring/shadow-rows.ts';
import type { VersionInfo } from '../../workers/lead-scoring/to-answer.ts';
import { createTestDatabase } from './create-test-database.ts';
import { makeJobContext } from './make-job-context.ts';
import { openTestBundles, type TestBundles } from './open-test-bundles.ts';
import { testRedisSettings } from './open-test-fleet.ts';
import { until } from './until.ts';

/** The lead-scoring worker's real parts: real Redis, real MySQL, the real model. */
export interface LeadScoringRoom extends AsyncDisposable {
  database: Database;
  redis: RedisClient;
  metrics: Metrics;
  logLines: string[];
  /** What the handlers are given. */
  dependencies: LeadScoringDependencies;
  /** What is known of each version; those beside this one know it too. */
  versions: Map<string, VersionInfo>;
  /** Makes a version of the model, changed in this way, the one that answers. */
  serve(version: string, options?: Parameters<TestBundles['add']>[1]): Promise<void>;
  /** Names such a version the challenger, and loads it; or none. */
  challenge(version: string | undefined, options?: Parameters<TestBundles['add']>[1]): Promise<void>;
  /** What challengers said beside the champion, by job, lead and challenger. */
  shadowRows(): Promise<LeadShadowScoresTable[]>;
  /** How many rows challengers were to score, by the outcome. */
  shadowed(): Promise<Partial<Record<string, number>>>;
  /** Writes leads: features by lead id. Text is written as it is. */
  addLeads(leads: Readonly<Record<string, unknown>>): Promise<void>;
  /** Does one run of a job, of a new one unless the context names one. */
  run(leadIds: readonly string[], context?: Partial<JobContext>): Promise<LeadScores>;
  /** The same for a chunk of a bulk. */
  runChunk(bulkId: string, chunk: LeadChunk, context?: Partial<JobContext>): Promise<LeadChunkResult>;
  storedRows(jobId: string): Promise<LeadScoresTable[]>;
  /** What the telemetry tells of a job, once it tells anything. */
  eventOf(jobId: string): Promise<AiEventsTable>;
  /** How often the cache was asked with this outcome. */
  cacheRequests(outcome: string): Promise<number>;
}

export interface LeadScoringTestOptions {
  redis?: RedisSettings;
  /** A database with the fleet's tables, instead of one that is made and dropped. */
  databaseSettings?: DatabaseSettings;
  /** Shares the database of another one, like a second process. */
  beside?: LeadScoringRoom;
  telemetry?: boolean;
  /** Instead of the version that `challenge` names. */
  challenger?: ShadowOptions['challenger'];
  minFeatureCoverage?: number;
}

export async function openLeadScoring(options: LeadScoringTestOptions = {}): Promise<LeadScoringRoom> {
  const { beside, telemetry = true, minFeatureCoverage = 0.6 } = options;
  await using resources = new AsyncDisposableStack();
  const logLines: string[] = [];
  const log = createLogger({ process: 'test', level: 'debug', write: (line) => logLines.push(line) });
  const metrics = resources.use(createMetrics());
  const database = beside?.database ?? (await openOwnDatabase(resources, options.databaseSettings));
  const { db } = database;
  const connection = resources.use(connectRedis(options.redis ?? testRedisSettings(), 'cache', log));
  if (!options.redis) await until(() => connection.isUp());
  const bundles = resources.use(await openTestBundles());
  const versions = beside?.versions ?? new Map<string, VersionInfo>();
  const model = resources.use(
    await openServedModel({
      modelId: leadModelId,
      source: bundles.source,
      types: ['binary_classifier'],
      ttlSeconds: 3_600,
      metrics,
      log,
    }),
  );
  const challenger = resources.use(
    await openServedModel({
      modelId: leadModelId,
      source: bundles.challengerSource,
      types: ['binary_classifier'],
      ttlSeconds: 3_600,
      metrics,
      log,
    }),
  );
  const dependencies: LeadScoringDependencies = {
    model,
    describeVersion(version: string) {
      const known = versions.get(version);
      return known ? Promise.resolve(known) : Promise.reject(new Error(`there is no version ${version}`));
    },
    readLeads: (leadIds: readonly string[]) => readLeads(db, leadIds),
    cache: createScoreCache({ redis: connection.client, metrics }),
    rows: createScoreRows(db),
    shadow: resources.use(
      openShadow({ challenger: options.challenger ?? challenger, rows: createShadowRows(db), metrics, log }),
    ),
    events: telemetry ? resources.use(openAiEvents(db, log)) : undefined,
    minFeatureCoverage,
    now: () => Date.now(),
    chunkTurns: pLimit(2),
  };

  const owned = resources.move();
  return {
    database,
    redis: connection.client,
    metrics,
    logLines,
    dependencies,
    versions,
    async serve(version, change) {
      const added = await bundles.add(version, change);
      bundles.promote(added);
      await model.refresh();
      const loaded = model.current();
      if (!loaded) throw new Error(`${version} could not be loaded: ${model.problem()}`);
      versions.set(version, loaded);
    },
    async challenge(version, change) {
      bundles.shadow(version === undefined ? undefined : await bundles.add(version, change));
      await challenger.refresh();
      if (version !== challenger.current()?.manifest.version) {
        throw new Error(`${version} could not be loaded: ${challenger.problem()}`);
      }
    },
    shadowRows() {
      return db
        .selectFrom('lead_shadow_scores')
        .selectAll()
        .orderBy('job_id')
        .orderBy('lead_id')
        .orderBy('challenger_version')
        .execute();
    },
    async shadowed() {
      const { values } = await metrics.shadowRows.get();
      const byOutcome = Map.groupBy(values, ({ labels }) => labels.outcome);
      return Object.fromEntries(
        [...byOutcome].map(([outcome, counts]) => [
          outcome,
          counts.reduce((sum, { value }) => sum + value, 0),
        ]),
      );
    },
    addLeads(leads) {
      const rows = Object.entries(leads).map(([leadId, features]) => ({
        lead_id: leadId,
        features: typeof features === 'string' ? features : JSON.stringify(features),
        updated_at: new Date(),
      }));
      return writeLeads(db, rows);
    },
    run(leadIds, context = {}) {
      const payload = leadBatchSchema.parse({ lead_ids: leadIds });
      return dependencies.shadow.whileAnswering(() =>
        scoreBatch(payload, makeJobContext({ log, ...context }), dependencies),
      );
    },
    runChunk(bulkId, chunk, context = {}) {
      return dependencies.shadow.whileAnswering(() =>
        scoreChunk(bulkId, chunk, makeJobContext({ log, ...context }), dependencies),
      );
    },
    storedRows(jobId) {
      return db
        .selectFrom('lead_scores')
        .selectAll()
        .where('job_id', '=', jobId)
        .orderBy('position')
        .execute();
    },
    async eventOf(jobId) {
      const find = () =>
        db.selectFrom('ai_events').selectAll().where('job_id', '=', jobId).executeTakeFirst();
      await until(async () => (await find()) !== undefined);
      const event = await find();
      if (!event) throw new Error('there was an event a moment ago');
      return event;
    },
    async cacheRequests(outcome) {
      const { values } = await metrics.cacheRequests.get();
      return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function openOwnDatabase(
  resources: AsyncDisposableStack,
  given: DatabaseSettings | undefined,
): Promise<Database> {
  const settings = given ?? resources.use(await createTestDatabase()).settings;
  return resources.use(openDatabase(settings));
}
