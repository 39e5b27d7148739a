import type { Generated } from 'kysely';

/** What users did: one row per event. Other systems may write rows of user, activity and time only. */
export interface ActivityLogTable {
  /** Grows with every row, so that what came in since the last look can be told, however old it is. */
  id: Generated<number>;
  /** The sender's own id, which makes sending the event again harmless; two rows never share one. */
  event_id: Generated<string | null>;
  user_id: string;
  activity_type: string;
  occurred_at: Date;
  /** IANA name of where the user was; null counts as UTC. */
  timezone: Generated<string | null>;
  /** JSON object, kept as it came. */
  metadata: Generated<string | null>;
}
