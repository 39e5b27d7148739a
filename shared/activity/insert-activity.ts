import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import type { ActivityRow } from './activity-event.ts';
import { insertOnce } from './insert-once.ts';

/**
 * Writes events into the log, each once. Answers how many are new.
 *
 * @throws StoreUnavailableError; the same events may be sent again then
 */
export function insertActivity(db: Kysely<Tables>, rows: readonly ActivityRow[]): Promise<number> {
  return insertOnce(db, rows, charactersOf, async (transaction, part) => {
    const { numInsertedOrUpdatedRows } = await transaction
      .insertInto('activity_log')
      .ignore()
      .values(part)
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows;
  });
}

function charactersOf(row: ActivityRow): number {
  return row.user_id.length + row.activity_type.length + row.event_id.length + (row.metadata?.length ?? 0);
}
