import type { Provider } from '../text-generation/text-generator.ts';

/**
 * - `calling`: a process has sent the request, or is about to; it holds the lease
 * - `answered`: the vendor's answer arrived, whether it could be used or not; it was paid for
 * - `failed`: the vendor said that it gives no answer, or could not be reached: nothing is owed
 * - `lost`: nobody knows what became of the call, because its process or its time ended; it may have been paid for
 */
export type LlmCallState = 'calling' | 'answered' | 'failed' | 'lost';

/** The journal of paid calls: one row per job, step and ask, written before the call. */
export interface LlmCallsTable {
  job_id: string;
  /** Which of the job's questions this is, for example `insight`. */
  step: string;
  /** Which call for that question, from 1: a vendor asked again or the next vendor is another one. */
  ask: number;
  queue: string;
  provider: Provider;
  model: string;
  state: LlmCallState;
  /** Names the process that made the call. */
  holder: string;
  /** Until when the others wait for the answer, by the database's clock. */
  leased_until: Date;
  /** SHA-256 of the request, for audit. */
  request_hash: string;
  /** What the model wrote; null once it has been purged. */
  answer: string | null;
  error_code: string | null;
  /** Input tokens that were neither read from nor written to the vendor's cache. */
  input_tokens: number | null;
  output_tokens: number | null;
  cache_read_tokens: number | null;
  cache_write_tokens: number | null;
  /** Decimal text; null when nothing was paid or the price is not known. */
  cost_usd: string | null;
  latency_ms: number | null;
  started_at: Date;
  finished_at: Date | null;
}
