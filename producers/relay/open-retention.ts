import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { Counter, type Registry } from 'prom-client';
import { purgeActivity } from '../../shared/activity/purge-activity.ts';
import { purgeAiEvents } from '../../shared/ai-events/purge-ai-events.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { purgeIdempotencyKeys } from '../../shared/ledger/purge-idempotency-keys.ts';
import { purgeJobs } from '../../shared/ledger/purge-jobs.ts';
import { purgeLlmCalls } from '../../shared/text-generation/purge-llm-calls.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import { purgeLooks } from './purge-looks.ts';
import { purgePages } from './purge-pages.ts';
import { purgePredictions } from './purge-predictions.ts';

export interface RetentionOptions {
  db: Kysely<Tables>;
  /** How long a settled job stays in the ledger, and its telemetry, in days; `undefined` means for ever. */
  ledgerRetentionDays: number | undefined;
  /** How long what users did, and what that predicted, stays, in days; `undefined` means for ever. */
  activityRetentionDays: number | undefined;
  registry: Registry;
  log: Logger;
}

const everyMs = 3_600_000;
const retryAfterMs = 60_000;
const dayMs = 86_400_000;
/** A year of spend stays countable, and the month that is looked at. */
const llmCallsKeptDays = 400;
/** An expired page is served no more; for a day, it can still be seen what was. */
const expiredPagesKeptDays = 1;

/**
 * Deletes what is older than it has to be kept from the ledger, from telemetry, from the log of what users did, and
 * from what was predicted of that, at once and then every hour. Call times, insights and lead scores are not touched:
 * they belong to the product. What models answered goes with its job, what that cost after 400 days. Any number of
 * these may run; a row is deleted and counted once.
 */
export function openRetention(options: RetentionOptions): AsyncDisposable {
  const { db, ledgerRetentionDays, activityRetentionDays, registry, log } = options;
  const stop = new AbortController();
  const purged = new Counter({
    name: 'presage_ledger_purged_total',
    help: 'Rows deleted because they were older than they have to be kept, by table',
    labelNames: ['table'],
    registers: [registry],
  });

  async function purge(): Promise<void> {
    const { signal } = stop;
    const now = new Date();
    const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs);
    const rows: Record<string, number> = {};
    async function count(table: string, deleted: Promise<number>): Promise<void> {
      rows[table] = await deleted;
      purged.inc({ table }, rows[table]);
    }
    await count('idempotency_keys', purgeIdempotencyKeys(db, now, signal));
    if (ledgerRetentionDays !== undefined) {
      await count('jobs', purgeJobs(db, { finishedBefore: daysAgo(ledgerRetentionDays), signal }));
      await count('ai_events', purgeAiEvents(db, { writtenBefore: daysAgo(ledgerRetentionDays), signal }));
    }
    await count('llm_calls', purgeLlmCalls(db, { begunBefore: daysAgo(llmCallsKeptDays), signal }));
    await count('page_cache', purgePages(db, { expiredBefore: daysAgo(expiredPagesKeptDays), signal }));
    if (activityRetentionDays !== undefined) {
      const before = daysAgo(activityRetentionDays);
      await count('activity_log', purgeActivity(db, { occurredBefore: before, signal }));
      await count('generation_queue', purgePredictions(db, { endedBefore: before, signal }));
      await count('activity_looks', purgeLooks(db, { lookedAtBefore: before, signal }));
    }
    if (Object.values(rows).some((deleted) => deleted > 0)) {
      log.info(rows, 'purged what was kept long enough');
    }
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      let waitMs = everyMs;
      try {
        await purge();
      } catch (error) {
        log.warn({ err: error }, 'cannot purge what is old; trying again');
        waitMs = retryAfterMs;
      }
      await delay(waitMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }
  const running = run();

  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
