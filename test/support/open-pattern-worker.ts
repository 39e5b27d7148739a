import { randomUUID } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { insertActivity } from '../../shared/activity/insert-activity.ts';
import { contentGeneration } from '../../shared/contracts/content-generation.ts';
import { patternDetection, type UserPatterns } from '../../shared/contracts/pattern-detection.ts';
import { openLlmServer, type LlmServer } from '../../shared/emulators/llm-server.ts';
import type { ActivityEvent } from '../../shared/patterns/activity-log.ts';
import { patternSchema, type Pattern } from '../../shared/patterns/pattern.ts';
import { FanOut } from '../../shared/queue/handlers.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { openTextGeneration } from '../../shared/text-generation/open-text-generation.ts';
import { openTogether } from '../../shared/text-generation/together.ts';
import { createTimezoneNames } from '../../shared/timezone/timezone-names.ts';
import {
  finishPatternDetection,
  startPatternDetection,
} from '../../workers/pattern-detection/handle-pattern-detection.ts';
import type { PatternDetectionDependencies } from '../../workers/pattern-detection/pattern-detection-dependencies.ts';
import { makeJobContext } from './make-job-context.ts';
import { openTestFleet, type TestFleet } from './open-test-fleet.ts';
import { busyMachineMs } from './until.ts';

export const llamaModel = 'meta-llama/Llama-3.3-70B-Instruct-Turbo';

/** A Wednesday noon. */
export const wednesdayNoonMs = Date.parse('2026-03-11T12:00:00Z');

export interface PatternWorkerOptions extends Partial<
  Pick<PatternDetectionDependencies, 'policy' | 'tickTimes'>
> {
  /** Whether Together is configured. */
  withModel?: boolean;
}

/** The worker's real parts, on a database and queues of their own; the clock by which habits are seen stands still. */
export interface PatternWorker extends AsyncDisposable {
  fleet: TestFleet;
  llm: LlmServer;
  dependencies: PatternDetectionDependencies;
  clock: { nowMs: number };
  /** What the model answers from now on, to whatever it is asked. */
  says(text: string): void;
  /** Writes what a user did. */
  plant(userId: string, events: readonly ActivityEvent[]): Promise<void>;
  /** Does one run of a job for a user, of a new one unless the context names one; past the queue. */
  look(userId: string, context?: Partial<JobContext>): Promise<UserPatterns>;
  /** Does the first step of a tick, past the queue: its looks are accepted and not done. */
  startTick(context?: Partial<JobContext>): Promise<FanOut>;
  /** Takes jobs from the queue from now on. */
  consume(): void;
  /** Accepts a job and waits for its result. */
  resultOf(payload: unknown): Promise<unknown>;
  predictions(): Promise<StoredPrediction[]>;
  /** The payloads of all jobs of the queue that makes pages. */
  contentJobs(): Promise<{ id: string; payload: unknown }[]>;
  /** Everything that the counter with these labels has counted. */
  counted(counter: keyof PatternDetectionDependencies['metrics'], labels?: object): Promise<number>;
}

export type StoredPrediction = Awaited<ReturnType<typeof readPredictions>>[number];

export async function openPatternWorker(options: PatternWorkerOptions = {}): Promise<PatternWorker> {
  const { withModel = true, policy = { patienceMs: 60_000, degradedAnswers: 'allow' as const } } = options;
  await using resources = new AsyncDisposableStack();
  const fleet = resources.use(await openTestFleet([patternDetection, contentGeneration]));
  const { metrics, log } = fleet;
  const { db } = fleet.database;
  const clock = { nowMs: wednesdayNoonMs };
  let answer = '{"patterns":[]}';
  const llm = resources.use(await openLlmServer({ answer: () => answer }));
  const together = { apiKey: 'key-of-the-test', baseUrl: llm.chatUrl, model: llamaModel };
  const textGeneration = resources.use(
    openTextGeneration({
      queue: patternDetection.name,
      generators: withModel ? [resources.use(openTogether(together))] : [],
      limits: {},
      db,
      redis: fleet.redis.client,
      keys: fleet.keys,
      metrics,
      log,
      processId: uuid(),
    }),
  );
  const dependencies: PatternDetectionDependencies = {
    db,
    enqueue: fleet.enqueue,
    textGeneration,
    policy,
    settings: { minConfidence: 0.6, queueConfidence: 0.7, windowDays: 30, activeUserDays: 7 },
    tickTimes: options.tickTimes ?? {
      scoreUntilMs: 30_000,
      learnUntilMs: 90_000,
      walkUntilMs: 240_000,
      endAfterMs: 300_000,
    },
    isTimezone: createTimezoneNames(),
    now: () => clock.nowMs,
    metrics,
  };
  const owned = resources.move();

  return {
    fleet,
    llm,
    dependencies,
    clock,
    says(text) {
      answer = text;
    },
    async plant(userId, events) {
      await insertActivity(
        db,
        events.map(({ activityType, occurredAtMs, timezone }) => ({
          event_id: randomUUID(),
          user_id: userId,
          activity_type: activityType,
          occurred_at: new Date(occurredAtMs),
          timezone,
          metadata: null,
        })),
      );
    },
    async look(userId, context = {}) {
      const found = await startPatternDetection(
        { user_id: userId },
        makeJobContext({ log, ...context }),
        dependencies,
      );
      if (found instanceof FanOut) throw new Error('a look at one user fans out to nobody');
      return found;
    },
    async startTick(context = {}) {
      const started = await startPatternDetection({}, makeJobContext({ log, ...context }), dependencies);
      if (started instanceof FanOut) return started;
      throw new Error('a tick waits for its looks');
    },
    consume() {
      fleet.consume(patternDetection, {
        start: (payload, context) => startPatternDetection(payload, context, dependencies),
        finish: (_payload, context, looks, interim) =>
          finishPatternDetection(looks, interim, context, dependencies),
      });
    },
    async resultOf(payload) {
      const { id } = await fleet.enqueue.enqueue(patternDetection, payload, { replyTo: fleet.results.name });
      const settled = await fleet.results.wait(id, busyMachineMs);
      if (settled?.state !== 'completed') throw new Error(`the job is ${settled?.state ?? 'open'}`);
      return settled.result;
    },
    predictions: () => readPredictions(fleet),
    async contentJobs() {
      const jobs = await fleet.ledger.list({ queue: contentGeneration.name, limit: 1_000 });
      return jobs.map(({ id, payload }) => ({ id, payload }));
    },
    async counted(counter, labels = {}) {
      const { values } = await metrics[counter].get();
      const wanted = Object.entries(labels);
      return values
        .filter((value) =>
          wanted.every(([name, label]) =>
            Object.entries(value.labels).some(([n, l]) => n === name && l === label),
          ),
        )
        .reduce((sum, { value }) => sum + value, 0);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function readPredictions({ database }: TestFleet) {
  const rows = await database.db
    .selectFrom('generation_queue')
    .selectAll()
    .orderBy('user_id')
    .orderBy('page_key')
    .orderBy('window_start')
    .execute();
  return rows.map((row) => ({ ...row, pattern: patternSchema.parse(JSON.parse(row.pattern)) }));
}

/** A model's answer that proposes these, surely. */
export function proposing(
  ...patterns: readonly (Pattern & { reason?: string; confidence?: number })[]
): string {
  return JSON.stringify({
    patterns: patterns.map((pattern) => ({ reason: 'as ever', confidence: 0.99, ...pattern })),
  });
}
