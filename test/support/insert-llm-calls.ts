import { randomUUID } from 'node:crypto';
import type { Insertable, Kysely } from 'kysely';
import type { LlmCallsTable } from '../../shared/database/llm-calls-table.ts';
import type { Tables } from '../../shared/database/tables.ts';

/** Calls as the journal holds them: answered ones of Bedrock, where nothing else is said. */
export async function insertLlmCalls(
  db: Kysely<Tables>,
  calls: readonly Partial<Insertable<LlmCallsTable>>[],
): Promise<void> {
  await db
    .insertInto('llm_calls')
    .values(
      calls.map((call) => ({
        job_id: randomUUID(),
        step: 'insight',
        ask: 1,
        queue: 'churn-insight',
        provider: 'bedrock' as const,
        model: 'haiku',
        state: 'answered' as const,
        holder: 'test',
        leased_until: new Date(),
        request_hash: 'a'.repeat(64),
        answer: '{"score":1}',
        input_tokens: 100,
        output_tokens: 10,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        cost_usd: '0.000150000',
        latency_ms: 700,
        started_at: new Date(),
        finished_at: new Date(),
        ...call,
      })),
    )
    .execute();
}
