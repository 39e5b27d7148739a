import { sql, type Kysely, type Selectable } from 'kysely';
import type { GenerationQueueTable } from '../../shared/database/generation-queue-table.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { parsePattern } from '../../shared/patterns/parse-pattern.ts';
import type { HitRate, StoredPrediction } from '../../shared/api-contract/stored-prediction.ts';

/** Reads what users were expected to need. Every method throws StoreUnavailableError when MySQL is away. */
export interface PredictionReader {
  /** A user's predictions, newest first. */
  list(
    userId: string,
    options: { limit: number; before: number | undefined },
  ): Promise<{ predictions: StoredPrediction[]; nextCursor: number | null }>;
  /** How often the user's predictions came true, by tenths of stated confidence; those without any are left out. */
  hitRates(userId: string): Promise<HitRate[]>;
}

export function createPredictionReader(db: Kysely<Tables>): PredictionReader {
  function ofUser(userId: string) {
    return (
      db
        .selectFrom('generation_queue')
        .where('user_id', '=', userId)
        // For MySQL, texts that differ in spaces at their end are equal.
        .where(sql<boolean>`octet_length(user_id) = ${Buffer.byteLength(userId)}`)
    );
  }

  return {
    async list(userId, { limit, before }) {
      const rows = await ofUser(userId)
        .selectAll()
        .$if(before !== undefined, (query) => query.where('id', '<', before ?? 0))
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      const shown = rows.slice(0, limit);
      return {
        predictions: shown.map(storedPrediction),
        nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
      };
    },

    async hitRates(userId) {
      const tenth = sql<number>`least(9, floor(confidence * 10))`;
      const rows = await ofUser(userId)
        .select(({ fn }) => [
          tenth.as('tenth'),
          fn.countAll().as('scored'),
          fn.sum('came_true').as('came_true'),
        ])
        .where('came_true', 'is not', null)
        .groupBy(tenth)
        .orderBy(tenth)
        .execute();
      return rows.map((row) => {
        const [scored, cameTrue] = [Number(row.scored), Number(row.came_true)];
        return {
          lower: row.tenth / 10,
          upper: (row.tenth + 1) / 10,
          scored,
          came_true: cameTrue,
          realised: cameTrue / scored,
        };
      });
    },
  };
}

function storedPrediction(row: Selectable<GenerationQueueTable>): StoredPrediction {
  return {
    id: row.id,
    page_key: row.page_key,
    pattern: parsePattern(row.pattern) ?? null,
    confidence: row.confidence,
    claimed_confidence: row.claimed_confidence,
    reason: row.reason,
    proposed_by: row.proposed_by,
    hits: row.hits,
    occasions: row.occasions,
    status: row.status,
    window_start: row.window_start.toISOString(),
    window_end: row.window_end.toISOString(),
    came_true: row.came_true === null ? null : row.came_true === 1,
    scored_at: row.scored_at?.toISOString() ?? null,
    job_id: row.job_id,
  };
}
