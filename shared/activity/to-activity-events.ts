import type { ActivityEvent } from '../patterns/activity-log.ts';
import type { UserEvent } from './read-user-activity.ts';

/** Events as patterns take them: on the clock of UTC where nothing is known of the user's. */
export function toActivityEvents(events: readonly UserEvent[]): ActivityEvent[] {
  return events.map(({ activityType, occurredAt, timezone }) => ({
    activityType,
    occurredAtMs: occurredAt.getTime(),
    timezone: timezone ?? 'UTC',
  }));
}
