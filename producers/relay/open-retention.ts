import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { Counter, type Registry } from 'prom-client';
import { deleteOlder, type TimeColumn } from '../../shared/database/delete-older.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { purgeJobs } from '../../shared/ledger/purge-jobs.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import { purgeLeadScores } from './purge-lead-scores.ts';
import { purgeLooks } from './purge-looks.ts';

export interface RetentionOptions {
  db: Kysely<Tables>;
  /** How long a settled job stays in the ledger, its telemetry and its scores of leads, in days; `undefined`: for ever. */
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
/** Rows that one statement deletes at most, so that no lock holds up the jobs for long. */
const rowsPerStatement = 500;
/** The same of logs, whose old rows nobody uses. */
const logRowsPerStatement = 1_000;

/**
 * Deletes what is older than it has to be kept from the ledger, from telemetry, from scores of leads, from the log of
 * what users did, and from what was predicted of that, at once and then every hour. Call times and insights are not
 * touched: they belong to the product. What models answered goes with its job, what that cost after 400 days. Any number
 * of these may run; a row is deleted and counted once.
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
    async function purgeByAge<Table extends keyof Tables>(
      table: Table,
      column: TimeColumn<Table>,
      before: Date,
      pageSize = rowsPerStatement,
    ): Promise<void> {
      await count(table, deleteOlder(db, { table, column, before, pageSize, signal }));
    }
    await purgeByAge('idempotency_keys', 'expires_at', now);
    if (ledgerRetentionDays !== undefined) {
      const before = daysAgo(ledgerRetentionDays);
      await count('jobs', purgeJobs(db, { finishedBefore: before, signal }));
      await purgeByAge('ai_events', 'created_at', before, logRowsPerStatement);
      await count('lead_scores', purgeLeadScores(db, 'lead_scores', { scoredBefore: before, signal }));
      await count(
        'lead_shadow_scores',
        purgeLeadScores(db, 'lead_shadow_scores', { scoredBefore: before, signal }),
      );
    }
    await purgeByAge('llm_calls', 'started_at', daysAgo(llmCallsKeptDays));
    await purgeByAge('page_cache', 'expires_at', daysAgo(expiredPagesKeptDays));
    if (activityRetentionDays !== undefined) {
      const before = daysAgo(activityRetentionDays);
      await purgeByAge('activity_log', 'occurred_at', before, logRowsPerStatement);
      await purgeByAge('generation_queue', 'window_end', before);
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
