import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { errorCode } from '../errors/classify.ts';
import { StoreUnavailableError } from '../errors/job-error.ts';

const maxRowsPerStatement = 1_000;
/** MariaDB takes a statement of up to 16 MiB; a character is up to 3 bytes there, and a quote 2. */
const maxCharactersPerStatement = 2 * 1024 * 1024;
const attempts = 12;
const longestPauseMs = 400;

/** Others were inserting the same events at this moment: nothing is wrong, and nothing was inserted. */
const contentionCodes: ReadonlySet<string> = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD',
]);

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
  const statements = split(ordered, charactersOf);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute(async (transaction) => {
        let inserted = 0;
        for (const part of statements) inserted += Number((await insert(transaction, part)) ?? 0n);
        return inserted;
      });
    } catch (error) {
      if (!contentionCodes.has(errorCode(error) ?? '')) throw error;
      if (attempt === attempts) throw new StoreUnavailableError('mysql', error);
    }
    await delay(Math.random() * Math.min(longestPauseMs, 10 * 2 ** attempt));
  }
}

function split<Row>(rows: readonly Row[], charactersOf: (row: Row) => number): Row[][] {
  const parts: Row[][] = [];
  let part: Row[] = [];
  let characters = 0;
  for (const row of rows) {
    const more = charactersOf(row);
    if (part.length === maxRowsPerStatement || characters + more > maxCharactersPerStatement) {
      parts.push(part);
      part = [];
      characters = 0;
    }
    part.push(row);
    characters += more;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
