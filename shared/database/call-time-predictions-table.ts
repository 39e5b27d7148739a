import type { PredictionSource } from '../contracts/call-time-prediction.ts';

/** One row per predicted contact of a job; the key makes writing it again harmless. */
export interface CallTimePredictionsTable {
  job_id: string;
  /** The contact's position in the request, from 0. */
  position: number;
  contact_id: string;
  phone_number: string;
  timezone: string;
  /** JSON array of weekday numbers. */
  preferred_days: string;
  hour_start: number;
  hour_end: number;
  confidence: number;
  source: PredictionSource;
  window_start: Date;
  window_end: Date;
  predicted_at: Date;
}
