import { sql, type Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import type { Provider } from './text-generator.ts';

/** What a queue's calls of one model came to. */
export interface Spend {
  queue: string;
  provider: Provider;
  model: string;
  /** Answered calls: these are paid. */
  calls: number;
  /** Calls of which nobody knows what became; they may have been paid, too. */
  lost: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** Decimal text, exact to the billionth. */
  costUsd: string;
  /** Answered calls of models that the price table does not know: not in `costUsd`. */
  callsWithoutPrice: number;
}

/** The spend of calls that were begun in a time, dearest first. Reads the journal only. */
export async function readSpend(db: Kysely<Tables>, from: Date, before: Date): Promise<Spend[]> {
  const answered = sql`state = 'answered'`;
  const { rows } = await sql<Spend>`
    select queue, provider, model,
      cast(sum(${answered}) as signed) as calls,
      cast(sum(state = 'lost') as signed) as lost,
      cast(coalesce(sum(input_tokens), 0) as signed) as inputTokens,
      cast(coalesce(sum(output_tokens), 0) as signed) as outputTokens,
      cast(coalesce(sum(cache_read_tokens), 0) as signed) as cacheReadTokens,
      cast(coalesce(sum(cache_write_tokens), 0) as signed) as cacheWriteTokens,
      cast(coalesce(sum(cost_usd), 0) as decimal(30, 9)) as costUsd,
      cast(sum(${answered} and cost_usd is null) as signed) as callsWithoutPrice
    from llm_calls
    where started_at >= ${from} and started_at < ${before} and state in ('answered', 'lost')
    group by queue, provider, model
    order by sum(cost_usd) desc, queue, provider, model`.execute(db);
  return rows;
}
