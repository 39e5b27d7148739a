import { sql, type Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** The columns of every table of the database, by the table's name; columns in lower case. */
export async function readColumns(db: Kysely<Tables>): Promise<Map<string, Set<string>>> {
  const { rows } = await sql<{ table: string; column: string }>`
    select table_name as \`table\`, column_name as \`column\` from information_schema.columns
    where table_schema = database()`.execute(db);
  const tables = new Map<string, Set<string>>();
  for (const { table, column } of rows) {
    const columns = tables.get(table) ?? new Set();
    tables.set(table, columns.add(column.toLowerCase()));
  }
  return tables;
}
