import type { Kysely } from 'kysely';
import type { Registry } from 'prom-client';
import { awaitedStatuses } from '../../shared/database/generation-queue-table.ts';
import type { Tables } from '../../shared/database/tables.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import { addMeasuredGauge } from './add-measured-gauge.ts';

export interface MeasureGenerationQueueOptions {
  db: Kysely<Tables>;
  registry: Registry;
  log: Logger;
}

/** Measures `generation_queue` whenever the process's `/metrics` is read: how many pages are still to be made. */
export function measureGenerationQueue({ db, registry, log }: MeasureGenerationQueueOptions): void {
  addMeasuredGauge(
    {
      name: 'presage_generation_queue_rows',
      help: 'Predictions whose page is still to be made: pending, or processing (a worker has begun)',
      labelNames: ['status'],
      unknown: 'how many pages are to be made is not known',
      async measure(gauge) {
        const counts = await countAwaited(db);
        for (const status of awaitedStatuses) gauge.set({ status }, counts.get(status) ?? 0);
      },
    },
    { registry, log },
  );
  addMeasuredGauge(
    {
      name: 'presage_generation_queue_oldest_pending_age_seconds',
      help: 'How long the oldest pending prediction has waited for its page; 0 when none is pending',
      unknown: 'how long the oldest page has been waited for is not known',
      async measure(gauge) {
        const pendingSince = await oldestPending(db);
        gauge.set(pendingSince ? Math.max(0, Date.now() - pendingSince.getTime()) / 1_000 : 0);
      },
    },
    { registry, log },
  );
}

async function countAwaited(db: Kysely<Tables>): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('generation_queue')
    .select(({ fn }) => ['status', fn.countAll().as('count')])
    .where('status', 'in', awaitedStatuses)
    .groupBy('status')
    .execute();
  return new Map(rows.map(({ status, count }) => [status, Number(count)]));
}

/** Within one status the index is in the order of ids. */
async function oldestPending(db: Kysely<Tables>): Promise<Date | undefined> {
  const row = await db
    .selectFrom('generation_queue')
    .select('created_at')
    .where('status', '=', 'pending')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return row?.created_at;
}
