import { sql } from 'kysely';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';

let testDatabase: TestDatabase;
beforeAll(async () => {
  testDatabase = await createTestDatabase({ migrate: false });
});
afterAll(() => testDatabase[Symbol.asyncDispose]());

test.each([
  ['a password that was changed', { password: 'changed-since' }, /^ER_ACCESS_DENIED_ERROR$/],
  ['a database that is gone', { database: 'gone' }, /^ER_(BAD_DB|DBACCESS_DENIED)_ERROR$/],
])('%s is an outage, which costs no job an attempt', async (_what, changed, code) => {
  await using database = openDatabase({ ...testDatabase.settings, ...changed });
  const query = database.db.selectFrom('jobs').select('id').execute();
  await expect(query).rejects.toThrow(StoreUnavailableError);
  await expect(query).rejects.toMatchObject({
    store: 'mysql',
    cause: { code: expect.stringMatching(code) },
  });
  expect(await database.isUp()).toBe(false);
});

test.each([
  ['reads only, as the old primary after a failover does', 1290, 'ER_OPTION_PREVENTS_STATEMENT'],
  ['was started to read only', 1836, 'ER_READ_ONLY_MODE'],
  ['has a full disk', 1021, 'ER_DISK_FULL'],
  ['has a full table space', 1114, 'ER_RECORD_FILE_FULL'],
])('a server that %s is an outage, and is connected to anew', async (_what, errno, code) => {
  await using database = openDatabase({ ...testDatabase.settings, poolSize: 1 });
  const connection = async () =>
    (await sql<{ id: number }>`select connection_id() as id`.execute(database.db)).rows[0]?.id;
  const before = await connection();
  const refused = sql.raw(`signal sqlstate 'HY000' set mysql_errno = ${errno}`).execute(database.db);
  await expect(refused).rejects.toMatchObject({ name: 'StoreUnavailableError', cause: { code } });
  const after = await connection();
  expect(after).toEqual(expect.any(Number));
  expect(after).not.toBe(before);
});
