import type { Kysely } from 'kysely';
import { Gauge, type Registry } from 'prom-client';
import type { Tables } from '../../shared/database/tables.ts';
import { oldestDueJobs } from '../../shared/ledger/relay-queries.ts';
import type { Dispatcher } from '../../shared/queue/open-dispatcher.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';

export interface MeasureQueuesOptions {
  queues: readonly string[];
  dispatcher: Pick<Dispatcher, 'depth'>;
  db: Kysely<Tables>;
  registry: Registry;
  log: Logger;
}

/** Measures depth and age of the queues whenever the process's `/metrics` is read. */
export function measureQueues({ queues, dispatcher, db, registry, log }: MeasureQueuesOptions): void {
  new Gauge({
    name: 'presage_queue_depth',
    help: 'Jobs in Redis by state',
    labelNames: ['queue', 'state'],
    registers: [registry],
    async collect() {
      // No figure is better than an old one that looks current.
      this.reset();
      try {
        for (const queue of queues) {
          const depth = await dispatcher.depth(queue);
          for (const [state, count] of Object.entries(depth)) this.set({ queue, state }, count);
        }
      } catch (error) {
        log.debug({ err: error }, 'the depth of the queues is not known');
      }
    },
  });
  new Gauge({
    name: 'presage_queue_oldest_job_age_seconds',
    help: 'Age of the oldest unfinished job that is due, from the ledger',
    labelNames: ['queue'],
    registers: [registry],
    async collect() {
      this.reset();
      try {
        const now = new Date();
        const oldest = await oldestDueJobs(db, now);
        for (const queue of queues) {
          const dueAt = oldest.get(queue) ?? now;
          this.set({ queue }, Math.max(0, now.getTime() - dueAt.getTime()) / 1_000);
        }
      } catch (error) {
        log.debug({ err: error }, 'the age of the oldest jobs is not known');
      }
    },
  });
}
