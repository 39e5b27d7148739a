import { databaseSettings } from '../../shared/config/database-settings.ts';
import { processSettings } from '../../shared/config/process-settings.ts';
import { readSettings, type Environment } from '../../shared/config/read-settings.ts';
import { redisSettings } from '../../shared/config/redis-settings.ts';
import { scheduleSettings } from '../../shared/config/schedule-settings.ts';
import { allSchedules } from '../../shared/contracts/all-schedules.ts';
import { runBackgroundProducer } from '../run-background-producer.ts';
import { lastTick } from '../../shared/ledger/last-tick.ts';
import { openCron } from './open-cron.ts';

/** The cron process: accepts a job for every tick of every schedule. */
export function runCron(environment: Environment): Promise<number> {
  // With what every background producer reads, so that all problems are told at once.
  const { schedules } = readSettings(
    {
      process: processSettings,
      redis: redisSettings,
      database: databaseSettings,
      schedules: scheduleSettings,
    },
    environment,
  );
  return runBackgroundProducer('cron', environment, ({ producer, log, resources }) => {
    resources.use(
      openCron({
        schedules: allSchedules(schedules),
        enqueue: producer.enqueue,
        lastTick: (schedule) => lastTick(producer.database.db, schedule),
        log,
      }),
    );
  });
}
