import { Cron } from 'croner';
import { z } from 'zod';
import { settingGroup } from './read-settings.ts';

export interface ScheduleSettings {
  /** When the sweep is due: a cron pattern, read in UTC. */
  patternSweepCron: string;
}

export const scheduleSettings = settingGroup(
  z.object({
    PATTERN_SWEEP_CRON: z
      .string()
      .refine(isCronPattern, { error: 'must be a cron pattern, for example */5 * * * *' })
      .default('*/5 * * * *'),
  }),
  (values): ScheduleSettings => ({ patternSweepCron: values.PATTERN_SWEEP_CRON }),
);

function isCronPattern(pattern: string): boolean {
  try {
    return new Cron(pattern, { paused: true }).nextRun() !== null;
  } catch {
    return false;
  }
}
