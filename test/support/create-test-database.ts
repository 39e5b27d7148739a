import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { databaseFromUrl, type DatabaseSettings } from '../../shared/config/database-settings.ts';
import { migrateUp } from '../../shared/database/migrate.ts';
import { openDatabase } from '../../shared/database/open-database.ts';

export interface TestDatabase extends AsyncDisposable {
  settings: DatabaseSettings;
  url: string;
}

/** A database of its own on the test run's MySQL, dropped at the end. */
export async function createTestDatabase({ migrate = true } = {}): Promise<TestDatabase> {
  const serverUrl = process.env['TEST_MYSQL_URL'];
  if (!serverUrl) throw new Error('TEST_MYSQL_URL is not set: run the tests through Jest');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const server = { ...databaseFromUrl(serverUrl), poolSize: 1, tls: false };
  const settings: DatabaseSettings = { ...server, database: name, poolSize: 5 };

  async function onServer(statement: string): Promise<void> {
    await using database = openDatabase(server);
    await sql.raw(statement).execute(database.db);
  }
  await onServer(`create database ${name} character set utf8mb4`);
  if (migrate) {
    await using database = openDatabase(settings);
    await migrateUp(database.db);
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    settings,
    url: url.href,
    [Symbol.asyncDispose]: () => onServer(`drop database ${name}`),
  };
}
