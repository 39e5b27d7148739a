import { Kysely, MysqlDialect, sql } from 'kysely';
import { createPool } from 'mysql2';
import {
  migrateDown,
  migrateUp,
  migrationNames,
  migrationStatus,
  NewerSchemaError,
  unknownMigrations,
  type FleetMigration,
} from '../../../shared/database/migrate.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { blockingStatements, contractions, readSchema } from '../../support/contractions.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { until } from '../../support/until.ts';

// `presage migrate up` is run while processes of the version before are at work, and go on with it.

/** Up to here nothing is released that could run beside an older version. */
const lastOfTheFirstVersion = '0008-lead-shadow-scores';

/** A connection that writes down what it is told. */
function openRecorded({ url }: TestDatabase, statements: string[] = []): Kysely<unknown> {
  const pool = createPool({ uri: url, connectionLimit: 1 });
  return new Kysely({
    dialect: new MysqlDialect({ pool }),
    log: ({ query }) => void statements.push(query.sql),
  });
}

async function load(name: string): Promise<FleetMigration> {
  return (await import(`../../../migrations/${name}.ts`)) as FleetMigration;
}

test('each migration leaves to the version before what it needs, and keeps nobody waiting', async () => {
  await using database = await createTestDatabase({ migrate: false });
  const statements: string[] = [];
  await using db = openRecorded(database, statements);
  const problems: Record<string, string[]> = {};
  for (const name of migrationNames) {
    const { up, contractsSince } = await load(name);
    const before = await readSchema(db);
    statements.length = 0;
    await up(db);
    expect(statements.length).toBeGreaterThan(0);
    const blocking = blockingStatements(statements, before.keys());
    const after = await readSchema(db);
    const contracted = contractions(before, after);
    // Done again, because it was interrupted before it was written down: nothing is lost, nothing fails.
    await up(db);
    expect(contractions(after, await readSchema(db))).toEqual([]);
    if (name <= lastOfTheFirstVersion) continue;
    if (contractsSince === undefined) problems[name] = [...blocking, ...contracted];
    else problems[name] = blocking;
  }
  expect(Object.keys(problems).length).toBeGreaterThan(0);
  expect(Object.values(problems).flat()).toEqual([]);
});

test.each([
  ['drop table outcomes', ['the table outcomes is gone']],
  ['alter table jobs drop column traceparent', [/^jobs.traceparent was .*, is gone$/]],
  ['alter table jobs rename column interim to kept', [/^jobs.interim was .*, is gone$/]],
  [
    'alter table jobs modify request_id varchar(64)',
    [/^jobs.request_id was varchar\(128\).*, is varchar\(64\)/],
  ],
  [
    'alter table jobs modify result longtext not null',
    [/^jobs.result was longtext null.*, is longtext not null/],
  ],
  [
    'alter table jobs alter column attempts drop default',
    [/^jobs.attempts was .* default 0 .* default null/],
  ],
  ['alter table jobs add column lane varchar(9) not null', [/^jobs.lane is new, and needed/]],
  [
    'alter table outcomes add unique index once (subject)',
    [/^the index once of outcomes is new, and unique/],
  ],
  ['alter table jobs drop index jobs_check_at', [/^the index jobs_check_at of jobs was .*, is gone$/]],
  ['alter table jobs add column lane varchar(9) null, add index jobs_lane (lane)', []],
  ["alter table jobs add column lane varchar(9) not null default ''", []],
  ['create table more (id int primary key, needed int not null)', []],
])('seen: %s', async (statement, expected) => {
  await using database = await createTestDatabase();
  await using db = openRecorded(database);
  const before = await readSchema(db);
  await sql.raw(statement).execute(db);
  const found = contractions(before, await readSchema(db));
  expect(found).toEqual(
    expected.map((text): unknown => (typeof text === 'string' ? text : expect.stringMatching(text))),
  );
});

test('a statement says that others may write meanwhile, or it is found', () => {
  const blocking = [
    'alter table `jobs` add column `a` int',
    'alter table jobs modify a int, algorithm = copy, lock = shared',
    'create index `more` on `jobs` (`a`)',
    'create unique index more on jobs (a)',
    'update jobs set a = 1',
    'insert into `jobs` select * from leads',
  ];
  const others = [
    'alter table jobs add column a int, algorithm = instant',
    'create index more on jobs (a) algorithm=inplace lock=none',
    'alter table jobs add index more (a), algorithm = inplace, lock = none',
    'create table `later` (id int)',
    'alter table `later` add column a int',
    'select 1 from jobs',
  ];
  expect(blockingStatements([...blocking, ...others], ['leads', 'jobs'])).toEqual(blocking);
});

test('a change that waits for a table lets others go on meanwhile', async () => {
  await using database = await createTestDatabase();
  await using migrating = openDatabase(database.settings);
  await migrateDown(migrating.db);
  await using busy = openDatabase(database.settings);
  await using others = openDatabase(database.settings);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const transaction = busy.db.transaction().execute(async (open) => {
    await open.selectFrom('jobs').select('id').execute();
    await ended;
  });
  let done: string[] | undefined;
  const migrated = migrateUp(migrating.db).then((names) => void (done = names));
  const waiting = async () => {
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from information_schema.processlist
      where state like '%metadata lock%' and db = database()`.execute(others.db);
    return (rows[0]?.count ?? 0) > 0;
  };
  await until(waiting);
  // Waits behind the change, which gives way to it.
  const job = { id: '1', queue: 'q', payload: '{}', priority: 0, created_at: new Date(), due_at: new Date() };
  await others.db
    .insertInto('jobs')
    .values({ ...job, check_at: null })
    .execute();
  expect(done).toBeUndefined();
  end();
  await transaction;
  await migrated;
  expect(done).toEqual([migrationNames.at(-1)]);
});

describe('an older version on a newer schema', () => {
  const newer = '9999-of-a-newer-version';

  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
    await using connection = openDatabase(database.settings);
    await sql`insert into presage_migrations (name, timestamp) values (${newer}, ${new Date().toISOString()})`.execute(
      connection.db,
    );
  });

  afterEach(() => database[Symbol.asyncDispose]());

  test('leaves it as it is, and says what it does not know', async () => {
    await using connection = openDatabase(database.settings);
    expect(await migrateUp(connection.db)).toEqual([]);
    expect(await unknownMigrations(connection.db)).toEqual([newer]);
    expect((await migrationStatus(connection.db)).every(({ executedAt }) => executedAt !== undefined)).toBe(
      true,
    );
  });

  test('does not take it back', async () => {
    await using connection = openDatabase(database.settings);
    await expect(migrateDown(connection.db)).rejects.toThrow(NewerSchemaError);
    await expect(migrateDown(connection.db)).rejects.toThrow(newer);
  });

  test('with migrations of its own beside it, changes nothing and says so', async () => {
    await using connection = openDatabase(database.settings);
    const own = migrationNames.at(-1) ?? '';
    await sql`delete from presage_migrations where name = ${own}`.execute(connection.db);
    await expect(migrateUp(connection.db)).rejects.toThrow(`This version has others: ${own}.`);
  });
});
