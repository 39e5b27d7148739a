import type { ActivityLog } from './activity-log.ts';
import { dayMs } from './local-day.ts';

const activeDays = 7;

/** Whether the user did anything in the last week of a log: nothing is predicted for those who have gone. */
export function isActive({ window, localMsAt }: ActivityLog): boolean {
  return (localMsAt.at(-1) ?? -Infinity) >= (window.endDay - activeDays) * dayMs;
}
