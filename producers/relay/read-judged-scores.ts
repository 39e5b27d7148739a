import { sql, type Kysely } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../../shared/database/tables.ts';
import { judgedScores } from '../../shared/leads/judged-scores.ts';
import type { ScoresInTenth } from '../../shared/leads/lead-quality.ts';

/** Scores of one version that lie in one tenth of 0 to 1, and what became of their leads. */
export interface JudgedScores extends ScoresInTenth {
  modelId: string;
  modelVersion: string;
}

/** MySQL answers sums as text. */
const rowSchema = z.object({
  model_id: z.string(),
  model_version: z.string(),
  tenth: z.coerce.number(),
  leads: z.coerce.number(),
  converted: z.coerce.number(),
  probability_sum: z.coerce.number(),
});

/**
 * What the scores that outcomes judge add up to, by version and tenth.
 *
 * @param most of more outcomes than this, the latest ones count
 * @throws StoreUnavailableError
 */
export async function readJudgedScores(
  db: Kysely<Tables>,
  { since, most }: { since: Date; most: number },
): Promise<JudgedScores[]> {
  const judged = judgedScores({
    table: 'lead_scores',
    columns: ['model_id', 'model_version', 'probability'],
    isScore: (row) => sql`${sql.ref(`${row}.probability`)} is not null`,
    since,
    most,
  });
  const { rows } = await sql`
    select model_id, model_version, least(floor(probability * 10), 9) as tenth,
      count(*) as leads, sum(happened) as converted, sum(probability) as probability_sum
    from ${judged} as judged
    group by model_id, model_version, tenth
    order by model_id, model_version, tenth`.execute(db);
  return rows.map((row) => {
    const { model_id, model_version, tenth, leads, converted, probability_sum } = rowSchema.parse(row);
    return {
      modelId: model_id,
      modelVersion: model_version,
      tenth,
      leads,
      converted,
      probabilitySum: probability_sum,
    };
  });
}
