/** One row for each lead of a request that was looked for; the key makes writing it again harmless. */
export interface LeadScoresTable {
  /** The job of the request. */
  job_id: string;
  lead_id: string;
  /** Where the request names the lead first, from 0. */
  position: number;
  /** That the lead converts, from 0 to 1; null where `error_code` says why there is none. */
  probability: number | null;
  confidence: number | null;
  /** The share of the model's columns for which the lead has a usable value of its own. */
  feature_coverage: number | null;
  /** 1: the coverage was too low for the score to be relied on. */
  degraded: number;
  error_code: string | null;
  error_message: string | null;
  model_id: string;
  model_version: string;
  scored_at: Date;
}
