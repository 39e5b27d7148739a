import type { Kysely } from 'kysely';
import type { Registry } from 'prom-client';
import type { Tables } from '../../shared/database/tables.ts';
import { oldestDueJobs } from '../../shared/ledger/relay-queries.ts';
import type { Dispatcher } from '../../shared/queue/open-dispatcher.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import { addMeasuredGauge } from './add-measured-gauge.ts';

export interface MeasureQueuesOptions {
  queues: readonly string[];
  dispatcher: Pick<Dispatcher, 'depth'>;
  db: Kysely<Tables>;
  registry: Registry;
  log: Logger;
}

/** Measures depth and age of the queues whenever the process's `/metrics` is read. */
export function measureQueues({ queues, dispatcher, db, registry, log }: MeasureQueuesOptions): void {
  addMeasuredGauge(
    {
      name: 'presage_queue_depth',
      help: 'Jobs in Redis by state',
      labelNames: ['queue', 'state'],
      unknown: 'the depth of the queues is not known',
      async measure(gauge) {
        for (const queue of queues) {
          const depth = await dispatcher.depth(queue);
          for (const [state, count] of Object.entries(depth)) gauge.set({ queue, state }, count);
        }
      },
    },
    { registry, log },
  );
  addMeasuredGauge(
    {
      name: 'presage_queue_oldest_job_age_seconds',
      help: 'Age of the oldest unfinished job that is due, from the ledger',
      labelNames: ['queue'],
      unknown: 'the age of the oldest jobs is not known',
      async measure(gauge) {
        const now = new Date();
        const oldest = await oldestDueJobs(db, queues, now);
        for (const queue of queues) {
          const dueAt = oldest.get(queue) ?? now;
          gauge.set({ queue }, Math.max(0, now.getTime() - dueAt.getTime()) / 1_000);
        }
      },
    },
    { registry, log },
  );
}
