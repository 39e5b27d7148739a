import type { Kysely } from 'kysely';
import { readUserActivity } from '../../shared/activity/read-user-activity.ts';
import { toActivityEvents } from '../../shared/activity/to-activity-events.ts';
import type { Tables } from '../../shared/database/tables.ts';
import type { ActivityEvent } from '../../shared/patterns/activity-log.ts';
import { dayMs, daysBefore, type DayWindow } from '../../shared/patterns/local-day.ts';
import type { IsTimezone } from '../../shared/timezone/timezone-names.ts';
import { userTimezone } from './user-timezone.ts';

/** What a user did lately. */
export interface UserDays {
  /** In the order of time, today's and some before the window too. */
  events: ActivityEvent[];
  /** The clock that the user looks at. */
  timezone: string;
  /** The whole days on that clock in which patterns are looked for. */
  window: DayWindow;
}

/** Local days begin and end up to 26 hours apart, and today is read too. */
const marginDays = 3;
/** Of a user who does more, the latest events count. */
const mostEvents = 50_000;

export async function readDays(
  { db, isTimezone }: { db: Kysely<Tables>; isTimezone: IsTimezone },
  userId: string,
  { nowMs, windowDays }: { nowMs: number; windowDays: number },
): Promise<UserDays> {
  const rows = await readUserActivity(db, userId, {
    from: new Date(nowMs - (windowDays + marginDays) * dayMs),
    before: new Date(nowMs + dayMs),
    limit: mostEvents,
  });
  const timezone = userTimezone(rows, isTimezone);
  return {
    events: toActivityEvents(rows),
    timezone,
    window: daysBefore(nowMs, timezone, windowDays),
  };
}
