import { sql, type Kysely } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../../shared/database/tables.ts';

/** Scores of one version that lie in one tenth of 0 to 1, and what became of their leads. */
export interface JudgedScores {
  modelId: string;
  modelVersion: string;
  /** From 0, [0, 0.1), to 9, [0.9, 1]. */
  tenth: number;
  leads: number;
  /** Those of them that converted. */
  converted: number;
  /** The sum of what was stated, one probability for each lead. */
  probabilitySum: number;
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
 * What leads were scored at before it was known what became of them, from outcomes `lead_converted`. An outcome judges
 * the score of the job that it names, else the latest one before it; of two outcomes for one score the later one counts.
 * Outcomes of leads that had no score are left out.
 *
 * @param most of more outcomes than this, the latest ones count
 * @throws StoreUnavailableError
 */
export async function readJudgedScores(
  db: Kysely<Tables>,
  { since, most }: { since: Date; most: number },
): Promise<JudgedScores[]> {
  const { rows } = await sql`
    select model_id, model_version, least(floor(probability * 10), 9) as tenth,
      count(*) as leads, sum(happened) as converted, sum(probability) as probability_sum
    from (
      select score.model_id, score.model_version, score.probability, outcome.happened,
        row_number() over (
          partition by score.job_id, score.lead_id order by outcome.occurred_at desc, outcome.id desc
        ) as place
      from (
        select id, subject, job_id, happened, occurred_at from outcomes
        where kind = 'lead_converted' and occurred_at >= ${since}
        order by occurred_at desc, id desc
        limit ${most}
      ) as outcome
      join lead_scores as score
        on score.lead_id = outcome.subject
        and score.job_id = coalesce(outcome.job_id, (
          select earlier.job_id from lead_scores as earlier
          where earlier.lead_id = outcome.subject
            and earlier.scored_at < outcome.occurred_at
            and earlier.probability is not null
          order by earlier.scored_at desc, earlier.job_id desc
          limit 1
        ))
      where score.probability is not null
    ) as judged
    where place = 1
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
