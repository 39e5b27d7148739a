import { sql } from 'kysely';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { createTestDatabase } from '../../support/create-test-database.ts';
import { openDoctor, type Doctor } from '../../support/open-doctor.ts';

let doctor: Doctor;
beforeAll(async () => {
  doctor = await openDoctor();
});
afterAll(() => doctor[Symbol.asyncDispose]());

describe('MySQL', () => {
  test('without migrations', async () => {
    await using empty = await createTestDatabase({ migrate: false });
    const { exitCode, amiss } = await doctor.examine({ DATABASE_URL: empty.url });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([
      expect.stringMatching(/^fail mysql schema: migrations have not been run: 0001-jobs, /),
    ]);
  });

  test('tables that are missing, incomplete or somebody else’s, and a newer schema', async () => {
    await using own = await createTestDatabase();
    await using db = openDatabase(own.settings);
    await sql`drop table call_time_predictions`.execute(db.db);
    await sql`alter table jobs drop column due_at`.execute(db.db);
    await sql`insert into presage_migrations values ('9999-later', '2030-01-01T00:00:00.000Z')`.execute(
      db.db,
    );
    const { exitCode, amiss } = await doctor.examine({ DATABASE_URL: own.url });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([
      'fail mysql tables: missing, although their migration was run: call_time_predictions',
      'fail mysql tables: columns are missing, although their migration was run: jobs (without due_at)',
      'warn mysql schema: a newer version of Presage has run migrations: 9999-later',
    ]);

    await using foreign = await createTestDatabase({ migrate: false });
    await using foreignDb = openDatabase(foreign.settings);
    await sql`create table jobs (id int primary key, payload text)`.execute(foreignDb.db);
    const found = await doctor.examine({ DATABASE_URL: foreign.url });
    expect(found.amiss[1]).toMatch(
      /^fail mysql tables: tables that Presage did not make.*: jobs \(without queue, /,
    );
  });

  test.each<[string, (url: URL) => void, RegExp]>([
    ['a wrong password', (url) => (url.password = 'wrong-word'), /refuses the user or the password/],
    [
      'a database that it does not have',
      (url) => (url.pathname = '/nowhere'),
      /no database of the configured/,
    ],
    ['nobody there', (url) => (url.port = '1'), /nothing listens at 127\.0\.0\.1:1$/],
    ['one that hangs', (url) => (url.port = String(doctor.silentPort)), /no answer from .* in time/],
    [
      'a Redis',
      (url) => (url.port = new URL(doctor.environment.REDIS_URL).port),
      /no answer from|does not answer as MySQL/,
    ],
  ])('%s', async (_what, change, finding) => {
    const url = new URL(doctor.environment.DATABASE_URL);
    const { password } = url;
    change(url);
    const { exitCode, amiss, text } = await doctor.examine({ DATABASE_URL: url.href });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([expect.stringMatching(/^fail mysql connection: /)]);
    expect(amiss[0]).toMatch(finding);
    for (const word of ['wrong-word', password]) expect(text).not.toContain(word);
  });

  test('TLS where there is none', async () => {
    const url = new URL(doctor.environment.DATABASE_URL);
    url.hostname = 'localhost';
    const { amiss } = await doctor.examine({ DATABASE_URL: url.href, DB_TLS: 'true' });
    expect(amiss).toEqual([expect.stringMatching(/^fail mysql connection: .* does not speak TLS$/)]);
  });
});
