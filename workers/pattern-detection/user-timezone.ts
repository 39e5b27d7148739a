import type { UserEvent } from '../../shared/activity/read-user-activity.ts';
import type { IsTimezone } from '../../shared/timezone/timezone-names.ts';

/**
 * The clock that a user looks at: the latest that any event names; UTC where none does. Names that nobody knows are
 * passed over, because rows may come from other systems.
 *
 * @param events in the order of time
 */
export function userTimezone(events: readonly Pick<UserEvent, 'timezone'>[], isTimezone: IsTimezone): string {
  const known = new Map<string, boolean>();
  const latest = events.findLast(({ timezone }) => {
    if (timezone === null) return false;
    const isKnown = known.get(timezone) ?? isTimezone(timezone);
    known.set(timezone, isKnown);
    return isKnown;
  });
  return latest?.timezone ?? 'UTC';
}
