/** Telemetry: one row for each request. Ids and numbers only, nothing about a person. */
export interface AiEventsTable {
  job_id: string;
  /** As the caller of the API knows the request. */
  request_id: string | null;
  model_id: string;
  /** Null where no model was loaded. */
  model_version: string | null;
  /** Of the model's manifest. */
  model_sha256: string | null;
  /** Leads that were asked for, each counted once. */
  leads: number;
  /** Those of them that got no score. */
  errors: number;
  cache_hits: number;
  cache_misses: number;
  /** Of the run that the row tells of: the one that completed, else the latest one that failed. */
  latency_ms: number;
  /** The mean of the scored leads; null when there are none. */
  feature_coverage: number | null;
  /** Why the latest run failed; null when one has completed. */
  error_code: string | null;
  created_at: Date;
}
