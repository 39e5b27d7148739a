import type { Generated } from 'kysely';

/**
 * - `accepted`: the job is to be done; Redis knows whether a worker has it in hand
 * - `completed`, `failed`, `cancelled`: settled, final until an operator retries it
 */
export type JobRowState = 'accepted' | 'completed' | 'failed' | 'cancelled';

/** Which part of a job is to be run next: its start, nothing (its children run), or its finish. */
export type JobPhase = 'start' | 'children' | 'finish';

/** The ledger: one row per accepted job. JSON is kept as text, exactly as it was written. */
export interface JobsTable {
  /** UUID version 7: sorts by creation time. */
  id: string;
  queue: string;
  state: Generated<JobRowState>;
  phase: Generated<JobPhase>;
  /** Raised by an operator's retry; a settle of an older generation has no effect. */
  generation: Generated<number>;
  payload: string;
  result: string | null;
  /** `{kind, code, message}` of the last failed attempt. */
  error: string | null;
  /** Attempts that ran to an end, good or bad. */
  attempts: Generated<number>;
  /** 0 is served first; larger numbers later. */
  priority: number;
  parent_id: string | null;
  /** Position among those children that the parent named when it fanned out, from 0. */
  child_position: number | null;
  /** Two jobs never share one: a cron tick's `<schedule>@<due>`. */
  unique_key: string | null;
  request_id: string | null;
  traceparent: string | null;
  /** Who settled the row: a token of one run, so that a worker knows whether its settle was the first. */
  settled_by: string | null;
  created_at: Date;
  /** Not to be started before. */
  due_at: Date;
  /** When the relay compares an open row with Redis next; null once settled. */
  check_at: Date | null;
  finished_at: Date | null;
  /** Until when a job waits for its children; null: until the last one is settled. */
  children_until: Generated<Date | null>;
  /** What the start of a job with children hands to its finish, as JSON. */
  interim: Generated<string | null>;
  /** The version of the queue's contract in which the payload was written. */
  payload_version: Generated<number>;
}
