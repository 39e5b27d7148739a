import type { Insertable } from 'kysely';
import { Registry } from 'prom-client';
import { v7 as uuid } from 'uuid';
import { openRetention } from '../../../producers/relay/open-retention.ts';
import type { JobsTable } from '../../../shared/database/jobs-table.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { openLedger } from '../../../shared/ledger/open-ledger.ts';
import { purgeJobs } from '../../../shared/ledger/purge-jobs.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { until } from '../../support/until.ts';

const dayMs = 86_400_000;
const finishedBefore = new Date(Date.now() - 30 * dayMs);

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

const daysAgo = (days: number) => new Date(Date.now() - days * dayMs);

interface Past {
  acceptedDaysAgo: number;
  /** Left out: still open. */
  finishedDaysAgo?: number;
  more?: Partial<Insertable<JobsTable>>;
}

function row({ acceptedDaysAgo, finishedDaysAgo, more }: Past): Insertable<JobsTable> {
  const createdAt = daysAgo(acceptedDaysAgo);
  return {
    id: uuid({ msecs: createdAt.getTime() }),
    queue: 'call-time-prediction',
    payload: '{}',
    priority: 0,
    created_at: createdAt,
    due_at: createdAt,
    check_at: null,
    ...(finishedDaysAgo === undefined
      ? {}
      : { state: 'completed', result: '{}', finished_at: daysAgo(finishedDaysAgo) }),
    ...more,
  };
}

async function insert(rows: readonly Insertable<JobsTable>[]): Promise<string[]> {
  await database.db.insertInto('jobs').values(rows).execute();
  return rows.map(({ id }) => id);
}

async function left(): Promise<string[]> {
  const rows = await database.db.selectFrom('jobs').select('id').orderBy('id').execute();
  return rows.map(({ id }) => id);
}

const purge = () => purgeJobs(database.db, { finishedBefore, signal: new AbortController().signal });

test('what was settled long enough ago goes, however it ended; the rest stays', async () => {
  await insert(
    (['completed', 'failed', 'cancelled'] as const).map((state) =>
      row({ acceptedDaysAgo: 40, finishedDaysAgo: 31, more: { state } }),
    ),
  );
  const kept = await insert([
    row({ acceptedDaysAgo: 400 }),
    row({ acceptedDaysAgo: 40, finishedDaysAgo: 29 }),
    row({ acceptedDaysAgo: 29, finishedDaysAgo: 29 }),
    row({ acceptedDaysAgo: 0 }),
  ]);
  expect(await purge()).toBe(3);
  expect(await left()).toEqual(kept);
  expect(await purge()).toBe(0);
});

test('more than a page, by two at once: each row once, and the predictions stay', async () => {
  const ids = await insert(
    Array.from({ length: 1_201 }, (_, index) =>
      row({ acceptedDaysAgo: 60 - index / 100, finishedDaysAgo: 40 }),
    ),
  );
  await database.db
    .insertInto('call_time_predictions')
    .values({
      job_id: ids[0] ?? '',
      position: 0,
      contact_id: 'contact_123',
      phone_number: '+972501234567',
      timezone: 'Asia/Jerusalem',
      preferred_days: '[1]',
      hour_start: 10,
      hour_end: 18,
      confidence: 0.5,
      source: 'default',
      window_start: daysAgo(40),
      window_end: daysAgo(40),
      predicted_at: daysAgo(40),
    })
    .execute();
  const [one, other] = await Promise.all([purge(), purge()]);
  expect(one + other).toBe(1_201);
  expect(await left()).toEqual([]);
  expect(await database.db.selectFrom('call_time_predictions').selectAll().execute()).toHaveLength(1);
});

test('children go with their parents, and never before', async () => {
  const family = (finishedDaysAgo: number | undefined, children: Past[]) => {
    const parent = row({
      acceptedDaysAgo: 50,
      ...(finishedDaysAgo === undefined ? { more: { phase: 'children' } } : { finishedDaysAgo }),
    });
    const rows = children.map(({ more, ...past }, position) =>
      row({ ...past, more: { parent_id: parent.id, child_position: position, ...more } }),
    );
    return [parent, ...rows];
  };
  const old: Past = { acceptedDaysAgo: 49, finishedDaysAgo: 48 };
  // More children than a page holds, and a grandchild.
  const gone = family(
    45,
    Array.from({ length: 700 }, () => old),
  );
  gone.push(row({ acceptedDaysAgo: 48, finishedDaysAgo: 47, more: { parent_id: gone[1]?.id ?? '' } }));
  await insert(gone);
  const kept = [
    ...(await insert(family(undefined, [old, { acceptedDaysAgo: 49 }]))),
    ...(await insert(family(10, [old]))),
  ];
  const halfKept = await insert(family(45, [{ acceptedDaysAgo: 49 }, old]));
  expect(await purge()).toBe(702 + 1);
  expect(await left()).toEqual([...kept, ...halfKept.slice(0, 2)].sort());
});

test('the newest tick of a schedule stays, because cron goes on from there', async () => {
  const ticks = [45, 44, 43].map((days) => daysAgo(days));
  const [, , newest] = await insert(
    ticks.map((due, index) =>
      row({
        acceptedDaysAgo: 45 - index,
        finishedDaysAgo: 40,
        more: { unique_key: `monthly@${due.toISOString()}` },
      }),
    ),
  );
  expect(await purge()).toBe(2);
  expect(await left()).toEqual([newest]);
});

test('jobs are accepted while others are purged', async () => {
  for (let part = 0; part < 5; part += 1) {
    await insert(
      Array.from({ length: 1_000 }, () =>
        row({ acceptedDaysAgo: 45, finishedDaysAgo: 40, more: { payload: '"'.padEnd(2_000, 'x') } }),
      ),
    );
  }
  await using ledger = openLedger(database.db, 'test');
  const isDone = new AbortController();
  const purging = purge().finally(() => isDone.abort());
  let accepted = 0;
  while (!isDone.signal.aborted) {
    await ledger.accept({ queue: 'call-time-prediction', payload: '{}', priority: 0 });
    accepted += 1;
  }
  expect(await purging).toBe(5_000);
  // If a purge held them up, none would come before its end and one after it.
  expect(accepted).toBeGreaterThan(2);
});

describe('the relay’s part', () => {
  const key = (name: string, expiresAt: Date) => ({
    scope: 'anonymous',
    queue: 'call-time-prediction',
    idempotency_key: name,
    body_hash: '0'.repeat(64),
    job_id: uuid(),
    answer_status: 202,
    answer_due_at: expiresAt,
    expires_at: expiresAt,
  });

  async function keptKeys(): Promise<string[]> {
    const rows = await database.db.selectFrom('idempotency_keys').select('idempotency_key').execute();
    return rows.map((kept) => kept.idempotency_key);
  }

  async function run(ledgerRetentionDays: number | undefined, enough: () => Promise<boolean>) {
    const registry = new Registry();
    const lines: string[] = [];
    const log = createLogger({ process: 'test', level: 'info', write: (line) => lines.push(line) });
    const days = { ledgerRetentionDays, activityRetentionDays: undefined };
    await using _retention = openRetention({ db: database.db, ...days, registry, log });
    await until(enough);
    const logged = () => lines.some((line) => line.includes('purged'));
    await until(() => Promise.resolve(logged()));
    return { metrics: await registry.metrics(), lines };
  }

  test('purges jobs and expired keys when it starts, counts and logs them', async () => {
    await insert([row({ acceptedDaysAgo: 9, finishedDaysAgo: 8 })]);
    const kept = await insert([row({ acceptedDaysAgo: 6, finishedDaysAgo: 6 })]);
    await database.db
      .insertInto('idempotency_keys')
      .values([
        ...Array.from({ length: 501 }, (_, index) => key(`old-${index}`, daysAgo(1 / 24))),
        key('young', daysAgo(-1 / 24)),
      ])
      .execute();
    const { metrics, lines } = await run(7, async () => (await left()).length === 1);
    expect(await left()).toEqual(kept);
    expect(await keptKeys()).toEqual(['young']);
    expect(metrics).toContain('presage_ledger_purged_total{table="jobs"} 1');
    expect(metrics).toContain('presage_ledger_purged_total{table="idempotency_keys"} 501');
    expect(lines[0]).toContain('"idempotency_keys":501,"jobs":1');
  });

  test('without an end: jobs stay for ever, keys do not', async () => {
    const kept = await insert([row({ acceptedDaysAgo: 4_000, finishedDaysAgo: 4_000 })]);
    await database.db
      .insertInto('idempotency_keys')
      .values(key('old', daysAgo(1)))
      .execute();
    await run(undefined, async () => (await keptKeys()).length === 0);
    expect(await left()).toEqual(kept);
  });
});
