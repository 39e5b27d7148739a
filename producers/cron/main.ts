import type { Environment } from '../../shared/config/read-settings.ts';
import { allSchedules } from '../../shared/contracts/all-schedules.ts';
import { runBackgroundProducer } from '../run-background-producer.ts';
import { lastTick } from '../../shared/ledger/last-tick.ts';
import { openCron } from './open-cron.ts';

/** The cron process: accepts a job for every tick of every schedule. */
export function runCron(environment: Environment): Promise<number> {
  return runBackgroundProducer('cron', environment, ({ producer, log, resources }) => {
    if (allSchedules.length === 0) log.info('there is no schedule yet');
    resources.use(
      openCron({
        schedules: allSchedules,
        enqueue: producer.enqueue,
        lastTick: (schedule) => lastTick(producer.database.db, schedule),
        log,
      }),
    );
  });
}
