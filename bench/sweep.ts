import { v4 as uuid } from 'uuid';
import { insertActivity } from '../shared/activity/insert-activity.ts';
import { databaseSettings } from '../shared/config/database-settings.ts';
import { readSettings } from '../shared/config/read-settings.ts';
import { redisSettings } from '../shared/config/redis-settings.ts';
import { allQueues } from '../shared/contracts/all-queues.ts';
import {
  patternDetection,
  sweepResultSchema,
  type SweepResult,
} from '../shared/contracts/pattern-detection.ts';
import { inventAnswer } from '../shared/emulators/invent-answer.ts';
import { openLlmServer, type LlmServer } from '../shared/emulators/llm-server.ts';
import { openProducer, type Producer } from '../shared/queue/open-producer.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import type { BenchmarkEnvironment, BenchmarkReport } from './benchmark-report.ts';
import { detectInOneProcess } from './detect-in-one-process.ts';
import { median } from './median.ts';
import { readSweepLog, type SweepLog } from './sweep-log.ts';
import { rawTokensPerUser } from './raw-tokens-per-user.ts';
import { timed } from './timed.ts';
import { untilSettled } from './until-settled.ts';
import { startBenchmarkFleet } from './start-benchmark-fleet.ts';

const rounds = 5;
const rowsPerInsert = 5_000;

/**
 * A tick over every active user of a log: users a second through the fleet's own processes, against reading and
 * detecting the same users in one process. And its tokens, against sending what the same users did as it is.
 */
export async function benchSweep(environment: BenchmarkEnvironment): Promise<BenchmarkReport> {
  await using resources = new AsyncDisposableStack();
  const llm = resources.use(await openLlmServer({ answer: inventAnswer }));
  const producer = await openFleet(environment, llm, resources);
  const { db } = producer.database;
  const log = await readSweepLog(environment.log, Date.now());
  const events = await load(log, producer);

  const first = await tick(producer);
  const asked = llm.answered().chat;
  if (asked.calls === 0) throw new Error('of nobody in this log there is anything to ask a model about');
  const tokens = asked.usage.inputTokens + asked.usage.outputTokens;
  const raw = await rawTokensPerUser(db, llm);

  const seconds = { tick: [] as number[], control: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    seconds.control.push((await timed(() => detectInOneProcess(db))) / 1_000);
    seconds.tick.push((await tick(producer)).seconds);
  }

  const users = first.result.active_users;
  const usersPerSecond = users / median(seconds.tick);
  const controlPerSecond = users / median(seconds.control);
  return {
    name: 'sweep',
    figures: [
      {
        name: 'a whole tick',
        value: usersPerSecond,
        unit: 'users/s',
        control: controlPerSecond,
        ratio: usersPerSecond / controlPerSecond,
      },
      {
        name: 'tokens, against the raw log with the same instructions',
        value: tokens / users,
        unit: 'tokens/user',
        control: raw.withInstructions,
        ratio: raw.withInstructions / (tokens / users),
        aim: 'at least 10',
      },
      {
        name: 'tokens, against the rows of the raw log alone',
        value: tokens / users,
        unit: 'tokens/user',
        control: raw.rows,
        ratio: raw.rows / (tokens / users),
      },
    ],
    notes: [
      `${log.name}: ${events} events, ${users} active users, of whom the model was asked about ${asked.calls}; ${first.result.patterns_detected} patterns, ${first.result.predictions_queued} predictions`,
      `median of ${rounds} ticks, each beside its control: the same users read and detected in one process, without queue, ledger and model`,
      `the first tick, which also learns how well patterns hold, took ${first.seconds.toFixed(1)} s`,
      'the raw log: the rows of the last 30 days as JSON, with the documented columns of activity_log',
      `tokens as the local server counts them, 4 characters each, over all active users; of those asked about, ${(tokens / asked.calls).toFixed(0)} each`,
    ],
  };
}

/** A fleet with the worker of patterns only, whose model is a local server that answers at once. */
async function openFleet(
  { processEnvironment }: BenchmarkEnvironment,
  llm: LlmServer,
  resources: AsyncDisposableStack,
): Promise<Producer> {
  const log = createLogger({ process: 'bench', level: 'error' });
  const environment = {
    ...processEnvironment,
    TOGETHER_BASE_URL: llm.chatUrl,
    TOGETHER_RPM: '',
    TOGETHER_TPM: '',
    // No tick but those that are measured.
    PATTERN_SWEEP_CRON: '0 0 1 1 *',
  };
  const fleet = await startBenchmarkFleet({ environment, worker: patternDetection.name }, resources);
  const settings = readSettings({ redis: redisSettings, database: databaseSettings }, fleet.environment);
  return await openProducer({ ...settings, contracts: allQueues, processId: uuid(), log }, resources);
}

/** Answers how many events there were. */
async function load({ users }: SweepLog, { database }: Producer): Promise<number> {
  let events = 0;
  let rows: Parameters<typeof insertActivity>[1][number][] = [];
  for (const { userId, events: ofUser } of users) {
    for (const { activityType, occurredAtMs, timezone } of ofUser) {
      events += 1;
      rows.push({
        event_id: `bench-${events}`,
        user_id: userId,
        activity_type: activityType,
        occurred_at: new Date(occurredAtMs),
        timezone,
        metadata: null,
      });
    }
    if (rows.length < rowsPerInsert) continue;
    await insertActivity(database.db, rows);
    rows = [];
  }
  await insertActivity(database.db, rows);
  return events;
}

/** One tick, as if nobody had looked at any user before. */
async function tick(producer: Producer): Promise<{ seconds: number; result: SweepResult }> {
  const { enqueue, ledger, database } = producer;
  await database.db.deleteFrom('activity_looks').execute();
  await database.db.deleteFrom('generation_queue').execute();
  const startedAtMs = performance.now();
  const { id } = await enqueue.enqueue(patternDetection, {});
  await untilSettled(ledger, [id], 1);
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const result = sweepResultSchema.parse((await ledger.read(id))?.result);
  if (!result.success) throw new Error('the tick did not come to its end');
  return { seconds, result };
}
