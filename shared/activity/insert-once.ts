import type { Kysely, Transaction } from 'kysely';
import { despiteContention } from '../database/despite-contention.ts';
import { splitRows } from '../database/split-rows.ts';
import type { Tables } from '../database/tables.ts';

const maxRowsPerStatement = 1_000;

/**
 * Inserts rows under their event ids in one transaction; those whose id is taken stay as they are, and of two with the
 * same id the first one counts. Answers how many rows are new.
 *
 * @param insert inserts a part of them, ignoring those whose id is taken, and answers how many were new
 * @throws StoreUnavailableError when MySQL is away: then nothing was inserted, or all of it (if the answer was lost)
 */
export async function insertOnce<Row extends { event_id: string }>(
  db: Kysely<Tables>,
  rows: readonly Row[],
  charactersOf: (row: Row) => number,
  insert: (transaction: Transaction<Tables>, rows: Row[]) => Promise<bigint | undefined>,
): Promise<number> {
  // Whoever inserts the same events takes the locks in the same order.
  const ordered = rows.toSorted((one, other) => compare(one.event_id, other.event_id));
  const statements = splitRows(ordered, { maxRows: maxRowsPerStatement, charactersOf });
  return despiteContention(() =>
    db.transaction().execute(async (transaction) => {
      let inserted = 0;
      for (const part of statements) inserted += Number((await insert(transaction, part)) ?? 0n);
      return inserted;
    }),
  );
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
