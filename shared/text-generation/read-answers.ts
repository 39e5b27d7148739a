import type { Kysely } from 'kysely';
import type { LlmCallState } from '../database/llm-calls-table.ts';
import type { Tables } from '../database/tables.ts';
import type { Provider } from './text-generator.ts';

/** A journalled call as operators see it. */
export interface AnswerView {
  step: string;
  ask: number;
  provider: Provider;
  model: string;
  state: LlmCallState;
  /** What the model wrote; null when it wrote nothing or it has been purged. */
  answer: string | null;
  error_code: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cache_read_tokens: number | null;
  cache_write_tokens: number | null;
  cost_usd: number | null;
  latency_ms: number | null;
  request_hash: string;
  started_at: string;
  finished_at: string | null;
}

/** Every call that was made for a job, in the order in which they were made. */
export async function readAnswers(db: Kysely<Tables>, jobId: string): Promise<AnswerView[]> {
  const rows = await db
    .selectFrom('llm_calls')
    .select([
      'step',
      'ask',
      'provider',
      'model',
      'state',
      'answer',
      'error_code',
      'input_tokens',
      'output_tokens',
      'cache_read_tokens',
      'cache_write_tokens',
      'cost_usd',
      'latency_ms',
      'request_hash',
      'started_at',
      'finished_at',
    ])
    .where('job_id', '=', jobId)
    .orderBy('started_at')
    .orderBy('step')
    .orderBy('ask')
    .execute();
  return rows.map((row) => ({
    ...row,
    cost_usd: row.cost_usd === null ? null : Number(row.cost_usd),
    started_at: row.started_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  }));
}
