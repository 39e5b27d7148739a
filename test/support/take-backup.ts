import { sql, type Kysely } from 'kysely';
import { databaseFromUrl } from '../../shared/config/database-settings.ts';
import { openDatabase } from '../../shared/database/open-database.ts';
import type { Tables } from '../../shared/database/tables.ts';

type Row = Record<string, unknown>;

/** A database as it was at one moment. */
export interface Backup {
  rows(table: string): readonly Row[];
  /** Makes every table anew, with its rows, in a database that has none. */
  restore(databaseUrl: string): Promise<void>;
}

const rowsPerInsert = 100;

/**
 * Reads every table of the database in one snapshot while others go on writing, as `mariadb-dump --single-transaction`
 * does: the machine that runs the tests may not have that program.
 */
export async function takeBackup(databaseUrl: string): Promise<Backup> {
  const tables = await withDatabase(databaseUrl, (db) =>
    db.connection().execute(async (connection) => {
      await sql`set session transaction isolation level repeatable read`.execute(connection);
      await sql`start transaction with consistent snapshot`.execute(connection);
      const { rows: listed } = await sql<Row>`show tables`.execute(connection);
      const found = new Map<string, { create: string; rows: readonly Row[] }>();
      for (const name of listed.map((row) => String(Object.values(row)[0]))) {
        const { rows: shown } = await sql<Row>`show create table ${sql.table(name)}`.execute(connection);
        const { rows } = await sql<Row>`select * from ${sql.table(name)}`.execute(connection);
        found.set(name, { create: String(shown[0]?.['Create Table']), rows });
      }
      await sql`commit`.execute(connection);
      return found;
    }),
  );
  return {
    rows: (table) => tables.get(table)?.rows ?? [],
    restore: (url) =>
      withDatabase(url, async (db) => {
        for (const [name, { create, rows }] of tables) {
          await sql.raw(create).execute(db);
          for (let from = 0; from < rows.length; from += rowsPerInsert) {
            await sql`insert into ${sql.table(name)} values ${sql.join(
              rows.slice(from, from + rowsPerInsert).map((row) => sql`(${sql.join(Object.values(row))})`),
            )}`.execute(db);
          }
        }
      }),
  };
}

async function withDatabase<Value>(
  url: string,
  work: (db: Kysely<Tables>) => Promise<Value>,
): Promise<Value> {
  await using database = openDatabase({ ...databaseFromUrl(url), poolSize: 1, tls: false });
  return await work(database.db);
}
