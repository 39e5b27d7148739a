import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

export interface UserEvent {
  activityType: string;
  occurredAt: Date;
  /** IANA name; null when the event says nothing of it. */
  timezone: string | null;
}

/**
 * What a user did from one moment to another (exclusive), in the order of time. Of more than `limit` events the latest
 * ones are answered: one user's log never fills the memory.
 */
export async function readUserActivity(
  db: Kysely<Tables>,
  userId: string,
  { from, before, limit }: { from: Date; before: Date; limit: number },
): Promise<UserEvent[]> {
  const rows = await db
    .selectFrom('activity_log')
    .select(['activity_type', 'occurred_at', 'timezone'])
    .where('user_id', '=', userId)
    .where('occurred_at', '>=', from)
    .where('occurred_at', '<', before)
    // In the order of the index, so that nothing is sorted and equal times come the same way each time.
    .orderBy('occurred_at', 'desc')
    .orderBy('activity_type', 'desc')
    .limit(limit)
    .execute();
  return rows
    .map((row) => ({ activityType: row.activity_type, occurredAt: row.occurred_at, timezone: row.timezone }))
    .toReversed();
}
