import { sql, type RawBuilder } from 'kysely';

export interface JudgedScoresOptions {
  /** It has `job_id`, `lead_id` and `scored_at`. */
  table: 'lead_scores' | 'lead_shadow_scores';
  /** What is wanted of each score. */
  columns: readonly string[];
  /** Which rows are scores; `row` is the name that a row has in the statement. */
  isScore: (row: string) => RawBuilder<unknown>;
  /** Outcomes that occurred before say nothing. */
  since: Date;
  /** Of more outcomes than this, the latest ones count. */
  most: number;
}

/**
 * What leads were scored at before it was known what became of them, from outcomes `lead_converted`: a derived table with
 * the columns asked for and `happened`. An outcome judges the score of the job that it names, else the latest one before
 * it; of two outcomes for one score the later one counts. Outcomes of leads that had no score are left out.
 */
export function judgedScores(options: JudgedScoresOptions): RawBuilder<unknown> {
  const { columns, isScore, since, most } = options;
  const table = sql.table(options.table);
  return sql`(
    select ${sql.join(columns.map((column) => sql.ref(column)))}, happened
    from (
      select ${sql.join(columns.map((column) => sql.ref(`score.${column}`)))}, outcome.happened,
        row_number() over (
          partition by score.job_id, score.lead_id order by outcome.occurred_at desc, outcome.id desc
        ) as place
      from (
        select id, subject, job_id, happened, occurred_at from outcomes
        where kind = 'lead_converted' and occurred_at >= ${since}
        order by occurred_at desc, id desc
        limit ${most}
      ) as outcome
      join ${table} as score
        on score.lead_id = outcome.subject
        and score.job_id = coalesce(outcome.job_id, (
          select earlier.job_id from ${table} as earlier
          where earlier.lead_id = outcome.subject
            and earlier.scored_at < outcome.occurred_at
            and ${isScore('earlier')}
          order by earlier.scored_at desc, earlier.job_id desc
          limit 1
        ))
      where ${isScore('score')}
    ) as placed
    where place = 1
  )`;
}
