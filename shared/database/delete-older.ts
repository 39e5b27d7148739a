import { sql, type Kysely, type SelectType } from 'kysely';
import { deleteInPages } from './delete-in-pages.ts';
import type { Tables } from './tables.ts';

/** The columns of a table that hold a time in each row. */
export type TimeColumn<Table extends keyof Tables> = {
  [Column in keyof Tables[Table]]: SelectType<Tables[Table][Column]> extends Date ? Column : never;
}[keyof Tables[Table]] &
  string;

export interface OldRows<Table extends keyof Tables> {
  table: Table;
  /** The time that counts; an index has it first. */
  column: TimeColumn<Table>;
  /** Rows whose time is before this go. */
  before: Date;
  /** Rows that one statement deletes at most. */
  pageSize: number;
  /** Ends it after the page in hand. */
  signal: AbortSignal;
}

/** Deletes the rows whose time is before, the oldest first, a page at a time. Answers how many. */
export function deleteOlder<Table extends keyof Tables>(
  db: Kysely<Tables>,
  { table, column, before, pageSize, signal }: OldRows<Table>,
): Promise<number> {
  return deleteInPages(
    async (limit) => {
      const { numAffectedRows } = await sql`
        delete from ${sql.table(table)} where ${sql.ref(column)} < ${before}
        order by ${sql.ref(column)} limit ${limit}`.execute(db);
      return numAffectedRows ?? 0n;
    },
    { pageSize, signal },
  );
}
