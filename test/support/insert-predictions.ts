import type { Insertable, Kysely } from 'kysely';
import type { GenerationQueueTable } from '../../shared/database/generation-queue-table.ts';
import type { Tables } from '../../shared/database/tables.ts';

/**
 * Rows of `generation_queue`: each of user `u1`, with a window of an hour of its own and statistics' pattern, where
 * nothing else is said. Answers their ids.
 */
export async function insertPredictions(
  db: Kysely<Tables>,
  rows: readonly Partial<Insertable<GenerationQueueTable>>[],
): Promise<number[]> {
  const ids: number[] = [];
  for (const [index, row] of rows.entries()) {
    const startMs = row.window_start?.getTime() ?? Date.parse('2026-03-02T09:00:00Z') + index * 86_400_000;
    const { insertId } = await db
      .insertInto('generation_queue')
      .values({
        user_id: 'u1',
        page_key: 'dashboard',
        pattern: JSON.stringify({
          kind: 'time',
          activity: 'dashboard',
          weekdays: [1, 2, 3, 4, 5],
          hour_start: 9,
          hour_end: 10,
        }),
        confidence: 0.84,
        proposed_by: 'baseline-1',
        hits: 18,
        occasions: 20,
        timezone: 'UTC',
        window_start: new Date(startMs),
        window_end: new Date(startMs + 3_600_000),
        ...row,
      })
      .executeTakeFirstOrThrow();
    ids.push(Number(insertId));
  }
  return ids;
}
