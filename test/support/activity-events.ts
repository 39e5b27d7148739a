import { randomUUID } from 'node:crypto';

/** A good event of now; ids are new unless a test gives one. */
export function activityEvent(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    event_id: randomUUID(),
    user_id: 'user_42',
    activity_type: 'open_dashboard',
    occurred_at: new Date().toISOString(),
    ...changes,
  };
}
