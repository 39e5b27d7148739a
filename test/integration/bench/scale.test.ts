import { benchScale } from '../../../bench/scale.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { createTestDatabase } from '../../support/create-test-database.ts';
import { testRedisSettings } from '../../support/open-test-fleet.ts';

const smallest = { processes: [2], rounds: 1, noOps: 20, waits: 5, bulk: 20, few: 4 };

test('the smallest run measures all that it promises, and leaves nothing', async () => {
  await using testDatabase = await createTestDatabase();
  const { figures } = await benchScale(
    {
      redis: testRedisSettings(),
      database: testDatabase.settings,
      processEnvironment: process.env,
      log: undefined,
    },
    smallest,
  );
  const throughput = ['no-op', 'waiting'].flatMap((queue) => [
    `${queue}, 2 processes`,
    `${queue}, 2 processes against 2`,
    `${queue}, 2 processes: Jain's index`,
    `${queue}, 2 processes: least share of a process`,
    `${queue}, 2 processes: largest share of a process`,
    `${queue}, 2 processes: Redis`,
    `${queue}, 2 processes: MySQL`,
    `${queue}, 2 processes: settled together`,
  ]);
  expect(figures.map(({ name }) => name)).toEqual([
    ...throughput,
    "an interactive job's wait beside bulk jobs, p50",
    "an interactive job's wait beside bulk jobs, p99",
    "4 jobs beside another queue's 20",
  ]);
  const value = (name: string) => figures.find((figure) => figure.name === name)?.value ?? Number.NaN;
  for (const figure of figures)
    expect([figure.name, Number.isFinite(figure.value)]).toEqual([figure.name, true]);
  for (const { name, ratio } of figures.filter((figure) => figure.ratio !== undefined)) {
    expect([name, Number.isFinite(ratio) && Number(ratio) > 0]).toEqual([name, true]);
  }
  for (const queue of ['no-op', 'waiting']) {
    const shares = [
      value(`${queue}, 2 processes: least share of a process`),
      value(`${queue}, 2 processes: largest share of a process`),
    ] as const;
    // Every job is counted, once.
    expect(shares[0] + shares[1]).toBeCloseTo(1);
    expect(value(`${queue}, 2 processes: settled together`)).toBeGreaterThan(0);
  }
  await using database = openDatabase(testDatabase.settings);
  expect(await database.db.selectFrom('jobs').select('id').execute()).toEqual([]);
  // A machine that does much else takes minutes to start so many processes.
}, 300_000);
