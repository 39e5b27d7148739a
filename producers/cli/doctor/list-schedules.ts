import { Cron } from 'croner';
import type { ScheduleSettings } from '../../../shared/config/schedule-settings.ts';
import { allSchedules } from '../../../shared/contracts/all-schedules.ts';
import { reporterFor, type Finding } from './finding.ts';

const report = reporterFor('schedule');

/** When each schedule is due: a pattern may be well formed and not mean what was meant. */
export function listSchedules(settings: ScheduleSettings): Finding[] {
  return allSchedules(settings).map(({ name, cron, timezone }) => {
    const next = new Cron(cron, { timezone, paused: true }).nextRun()?.toISOString() ?? 'never';
    return report.ok(name, `${cron} (${timezone}), next ${next}`);
  });
}
