import { Registry } from 'prom-client';
import { sql, type KyselyPlugin } from 'kysely';
import { openRetention } from '../../../producers/relay/open-retention.ts';
import { readActiveUsers, type ActiveUser } from '../../../shared/activity/read-active-users.ts';
import { readUserActivity } from '../../../shared/activity/read-user-activity.ts';
import { deleteOlder } from '../../../shared/database/delete-older.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { until } from '../../support/until.ts';

let testDatabase: TestDatabase;
let database: Database;
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase(testDatabase.settings);
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

const now = Math.floor(Date.now() / 1_000) * 1_000;
const daysAgo = (days: number) => new Date(now - days * 86_400_000);
const event = (userId: string, occurredAt: Date, activityType = 'login') => ({
  user_id: userId,
  activity_type: activityType,
  occurred_at: occurredAt,
});
type Row = ReturnType<typeof event>;

const insert = (rows: Row[]) => database.db.insertInto('activity_log').values(rows).execute();
const count = async () => (await database.db.selectFrom('activity_log').select('id').execute()).length;

test('active users come page by page, each once, with their newest row and their latest event', async () => {
  const ids = Array.from({ length: 7 }, (_, index) => `user_${index}`);
  await insert(ids.flatMap((id, index) => [event(id, daysAgo(index)), event(id, daysAgo(index + 10))]));
  // Late: the newest row is not the latest event.
  await insert([event('user_1', daysAgo(20))]);
  const pages: ActiveUser[][] = [];
  for await (const page of readActiveUsers(database.db, { since: daysAgo(4), pageSize: 3 })) pages.push(page);
  expect(pages.map((page) => page.map(({ userId }) => userId))).toEqual([
    ['user_0', 'user_1', 'user_2'],
    ['user_3', 'user_4'],
  ]);
  expect(pages[0]?.[1]).toEqual({ userId: 'user_1', newestId: 15, latestAt: daysAgo(1) });
});

test('reading active users jumps from user to user in an index', async () => {
  await insert(
    Array.from({ length: 4_000 }, (_, index) =>
      event(`user_${index % 20}`, new Date(1.7e12 + index * 1_000)),
    ),
  );
  await sql`analyze table activity_log`.execute(database.db);
  const statements = [
    sql`explain select user_id, max(occurred_at) from activity_log where user_id > '' group by user_id order by user_id limit 1000`,
    sql`explain select user_id, max(id) from activity_log where user_id in ('user_1', 'user_2') group by user_id`,
  ];
  for (const statement of statements) {
    const { rows } = await statement.execute(database.db);
    expect(JSON.stringify(rows)).toContain('Using index for group-by');
  }
});

test("a user's activity comes in the order of time, and of too much the latest", async () => {
  await insert([
    event('u', daysAgo(1), 'late'),
    event('u', daysAgo(3), 'early'),
    event('u', daysAgo(2), 'middle'),
    event('u', daysAgo(40), 'too early'),
    event('v', daysAgo(2), 'somebody else'),
  ]);
  const span = { from: daysAgo(30), before: daysAgo(0) };
  const all = await readUserActivity(database.db, 'u', { ...span, limit: 10 });
  expect(all.map(({ activityType }) => activityType)).toEqual(['early', 'middle', 'late']);
  expect(all[0]).toEqual({ activityType: 'early', occurredAt: daysAgo(3), timezone: null });
  const latest = await readUserActivity(database.db, 'u', { ...span, limit: 2 });
  expect(latest.map(({ activityType }) => activityType)).toEqual(['middle', 'late']);
});

test('purging deletes what is too old, no more rows a statement than it is told', async () => {
  await insert(Array.from({ length: 2_500 }, () => event('u', daysAgo(91))));
  await insert([event('u', daysAgo(89))]);
  const deletions: number[] = [];
  const watch: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    transformResult({ result }) {
      deletions.push(Number(result.numAffectedRows ?? 0n));
      return Promise.resolve(result);
    },
  };
  const { signal } = new AbortController();
  const old = { table: 'activity_log', column: 'occurred_at', before: daysAgo(90) } as const;
  const options = { ...old, pageSize: 1_000, signal };
  expect(await deleteOlder(database.db.withPlugin(watch), options)).toBe(2_500);
  expect(deletions).toEqual([1_000, 1_000, 500]);
  expect(await count()).toBe(1);
});

test.each([
  [90, 1],
  [undefined, 2],
])('the relay keeps events for %s days', async (activityRetentionDays, left) => {
  await insert([event('u', daysAgo(91)), event('u', daysAgo(89))]);
  const registry = new Registry();
  const lines: string[] = [];
  const log = createLogger({ process: 'test', level: 'info', write: (line) => lines.push(line) });
  await database.db
    .insertInto('idempotency_keys')
    .values({
      scope: 's',
      queue: 'q',
      idempotency_key: 'k',
      body_hash: '0'.repeat(64),
      job_id: '0'.repeat(36),
      answer_status: null,
      answer_due_at: new Date(),
      expires_at: daysAgo(1),
    })
    .execute();
  const days = { ledgerRetentionDays: undefined, activityRetentionDays };
  await using _retention = openRetention({ db: database.db, ...days, registry, log });
  // Told at the end of a round, in which the key went too.
  await until(() => lines.some((line) => line.includes('purged')));
  expect(await count()).toBe(left);
});
