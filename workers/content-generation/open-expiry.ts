import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { awaitedStatuses } from '../../shared/database/generation-queue-table.ts';
import type { Tables } from '../../shared/database/tables.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';

const everyMs = 60_000;
const rowsPerStatement = 500;

/**
 * Ends predictions whose window has passed and whose page nobody makes any more, because their job was cancelled or
 * never accepted: at once and then every minute. Until then they would keep newer ones of the same page away. Any
 * number of these may run.
 */
export function openExpiry(db: Kysely<Tables>, log: Logger): AsyncDisposable {
  const stop = new AbortController();

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await expirePredictions(db, new Date(), stop.signal);
      } catch (error) {
        log.warn({ err: error }, 'cannot end predictions whose window has passed; trying again');
      }
      await delay(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
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

async function expirePredictions(db: Kysely<Tables>, now: Date, signal: AbortSignal): Promise<void> {
  for (let found = rowsPerStatement; found === rowsPerStatement && !signal.aborted;) {
    // Found without locks, changed by their primary keys: nobody who adds a prediction is held up.
    const rows = await db
      .selectFrom('generation_queue')
      .select('id')
      .where('status', 'in', awaitedStatuses)
      .where('window_end', '<=', now)
      .limit(rowsPerStatement)
      .execute();
    found = rows.length;
    if (found === 0) return;
    await db
      .updateTable('generation_queue')
      .set({ status: 'expired' })
      .where(
        'id',
        'in',
        rows.map(({ id }) => id),
      )
      .where('status', 'in', awaitedStatuses)
      .execute();
  }
}
