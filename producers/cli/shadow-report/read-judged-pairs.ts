import { sql, type Kysely } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../../../shared/database/tables.ts';
import { judgedScores } from '../../../shared/leads/judged-scores.ts';
import type { VersionPair } from './read-compared-scores.ts';

/** The latest ones: they say enough, and take MySQL some seconds. */
const mostOutcomes = 50_000;

const rowSchema = z.object({
  champion_probability: z.number(),
  challenger_probability: z.number(),
  happened: z.number(),
});

/** What both versions stated of leads of which it became known whether they converted. */
export interface JudgedPairs {
  champion: Float64Array;
  challenger: Float64Array;
  /** Of each lead, 1 or 0. */
  converted: Uint8Array;
}

/**
 * Joins outcomes as they are joined for the live quality of the champion: see `judgedScores`. Only leads that both versions
 * scored count, so that both are judged by the same ones.
 *
 * @throws StoreUnavailableError
 */
export async function readJudgedPairs(
  db: Kysely<Tables>,
  { modelId, champion, challenger }: VersionPair,
  since: Date,
): Promise<JudgedPairs> {
  const judged = judgedScores({
    table: 'lead_shadow_scores',
    columns: ['champion_probability', 'challenger_probability'],
    isScore: (row) => sql`(
      ${sql.ref(`${row}.model_id`)} = ${modelId}
      and ${sql.ref(`${row}.champion_version`)} = ${champion}
      and ${sql.ref(`${row}.challenger_version`)} = ${challenger}
      and ${sql.ref(`${row}.champion_probability`)} is not null
      and ${sql.ref(`${row}.challenger_probability`)} is not null
    )`,
    since,
    most: mostOutcomes,
  });
  const { rows } = await sql`select * from ${judged} as judged`.execute(db);
  const pairs = rows.map((row) => rowSchema.parse(row));
  return {
    champion: Float64Array.from(pairs, (pair) => pair.champion_probability),
    challenger: Float64Array.from(pairs, (pair) => pair.challenger_probability),
    converted: Uint8Array.from(pairs, (pair) => pair.happened),
  };
}
