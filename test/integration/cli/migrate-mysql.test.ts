import { sql } from 'kysely';
import { migrationNames } from '../../../shared/database/migrate.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { runPresage } from '../../support/run-presage.ts';

describe('migrate', () => {
  let empty: TestDatabase;
  beforeEach(async () => {
    empty = await createTestDatabase({ migrate: false });
  });
  afterEach(() => empty[Symbol.asyncDispose]());
  const migrate = (...argv: string[]) => runPresage(['migrate', ...argv], { DATABASE_URL: empty.url });

  test('up is idempotent, safe when several start at once, and can be taken back', async () => {
    const runs = await Promise.all([migrate('up'), migrate('up'), migrate('up')]);
    expect(runs.map((run) => run.exitCode)).toEqual([0, 0, 0]);
    expect((await migrate('up')).output).toBe('nothing to do\n');
    const status = await migrate('status', '--json');
    expect(status.output).not.toContain('"executed_at": null');
    expect((await migrate('down', '--json')).output).toContain(String(migrationNames.at(-1)));
    expect((await migrate('status')).output).toContain(`${migrationNames.at(-1)}  pending`);
  });

  test('refuses, by name, a table that it did not make and that does not fit', async () => {
    await using db = openDatabase(empty.settings);
    await sql`create table jobs (id int primary key, title text)`.execute(db.db);
    const run = await migrate('up');
    expect(run.exitCode).toBe(1);
    expect(run.messages).toMatch(/The table jobs exists already.*lacks the columns queue/);
    const { rows } = await sql`select * from jobs`.execute(db.db);
    expect(rows).toEqual([]);
  });
});
