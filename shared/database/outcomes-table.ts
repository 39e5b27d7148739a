import type { Generated } from 'kysely';

/**
 * What an outcome is about, and whom `subject` names:
 *
 * - `call_answered`: a contact, by `contact_id`; judges `call_time_predictions`
 * - `page_visited`: a user, by `user_id`, and the page in `page_key`; judges `generation_queue`
 * - `lead_converted`: a lead, by `lead_id`; judges `lead_scores`
 * - `churned`: an entity, by `entity_id`; judges the insights
 */
export type OutcomeKind = 'call_answered' | 'page_visited' | 'lead_converted' | 'churned';

/** What really happened to those whom predictions are about. */
export interface OutcomesTable {
  id: Generated<number>;
  /** The sender's own id, which makes sending the outcome again harmless; two rows never share one. */
  event_id: string;
  kind: OutcomeKind;
  subject: string;
  page_key: string | null;
  /** The job of the prediction, where the sender knows it; else the subject and the time say which it was. */
  job_id: string | null;
  /** 0: it is known not to have happened, for example a call that nobody answered. */
  happened: number;
  occurred_at: Date;
}
