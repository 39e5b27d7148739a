import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { Counter, type Registry } from 'prom-client';
import { purgeActivity } from '../../shared/activity/purge-activity.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { purgeIdempotencyKeys } from '../../shared/ledger/purge-idempotency-keys.ts';
import { purgeJobs } from '../../shared/ledger/purge-jobs.ts';
import { purgeLlmCalls } from '../../shared/text-generation/purge-llm-calls.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';

export interface RetentionOptions {
  db: Kysely<Tables>;
  /** How long a settled job stays in the ledger, in days; `undefined` means for ever. */
  ledgerRetentionDays: number | undefined;
  /** How long what users did stays in the log, in days; `undefined` means for ever. */
  activityRetentionDays: number | undefined;
  registry: Registry;
  log: Logger;
}

const everyMs = 3_600_000;
const retryAfterMs = 60_000;
const dayMs = 86_400_000;
/** A year of spend stays countable, and the month that is looked at. */
const llmCallsKeptDays = 400;

/**
 * Deletes what is older than it has to be kept from the ledger and from the log of what users did, at once and then
 * every hour. What workers wrote is not touched: predictions belong to the product. What models answered goes with its
 * job, what that cost after 400 days. Any number of these may run; a row is deleted and counted once.
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
    const now = new Date();
    const keys = await purgeIdempotencyKeys(db, now, stop.signal);
    purged.inc({ table: 'idempotency_keys' }, keys);
    let jobs = 0;
    if (ledgerRetentionDays !== undefined) {
      const finishedBefore = new Date(now.getTime() - ledgerRetentionDays * dayMs);
      jobs = await purgeJobs(db, { finishedBefore, signal: stop.signal });
      purged.inc({ table: 'jobs' }, jobs);
    }
    const begunBefore = new Date(now.getTime() - llmCallsKeptDays * dayMs);
    const calls = await purgeLlmCalls(db, { begunBefore, signal: stop.signal });
    purged.inc({ table: 'llm_calls' }, calls);
    let events = 0;
    if (activityRetentionDays !== undefined) {
      const occurredBefore = new Date(now.getTime() - activityRetentionDays * dayMs);
      events = await purgeActivity(db, { occurredBefore, signal: stop.signal });
      purged.inc({ table: 'activity_log' }, events);
    }
    if (keys + jobs + calls + events > 0) {
      const rows = { jobs, idempotency_keys: keys, llm_calls: calls, activity_log: events };
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
