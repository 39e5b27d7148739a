import type { ActivityEvent } from '../../shared/patterns/activity-log.ts';
import { dayMs, hourMs, weekdayOf, type DayWindow } from '../../shared/patterns/local-day.ts';

export const everyDay = [1, 2, 3, 4, 5, 6, 7];
export const workdays = [1, 2, 3, 4, 5];

/** An activity a quarter past an hour of the UTC clock, on every one of these weekdays. */
export function onWeekdays(
  activityType: string,
  { startDay, endDay }: DayWindow,
  { weekdays = workdays, hour = 9 } = {},
): ActivityEvent[] {
  const events: ActivityEvent[] = [];
  for (let day = startDay; day < endDay; day += 1) {
    if (!weekdays.includes(weekdayOf(day))) continue;
    events.push({ activityType, occurredAtMs: day * dayMs + (hour + 0.25) * hourMs, timezone: 'UTC' });
  }
  return events;
}

/** One activity each day at another hour, and five minutes later another one. */
export function oneAfterOther(
  after: string,
  activityType: string,
  { startDay, endDay }: DayWindow,
): ActivityEvent[] {
  const events: ActivityEvent[] = [];
  for (let day = startDay; day < endDay; day += 1) {
    const firstMs = day * dayMs + (1 + ((day * 7) % 22)) * hourMs;
    events.push({ activityType: after, occurredAtMs: firstMs, timezone: 'UTC' });
    events.push({ activityType, occurredAtMs: firstMs + 300_000, timezone: 'UTC' });
  }
  return events;
}
