import { Registry } from 'prom-client';
import { v7 as uuid } from 'uuid';
import { measureGenerationQueue } from '../../../producers/relay/measure-generation-queue.ts';
import { measureSweeps } from '../../../producers/relay/measure-sweeps.ts';
import { sweepSchedule } from '../../../producers/relay/read-sweeps.ts';
import { allSchedules } from '../../../shared/contracts/all-schedules.ts';
import { patternDetection } from '../../../shared/contracts/pattern-detection.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { insertPredictions } from '../../support/insert-predictions.ts';
import { openPatternWorker } from '../../support/open-pattern-worker.ts';
import { busyMachineMs } from '../../support/until.ts';

const log = createLogger({ process: 'test', level: 'silent' });

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

/** Reads `/metrics` once: the samples of both measures. */
async function samples({ db }: Pick<Database, 'db'> = database): Promise<Record<string, number>> {
  const registry = new Registry();
  measureSweeps({ db, registry, log });
  measureGenerationQueue({ db, registry, log });
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', value] = line.replace('presage_', '').split(' ');
      return [name, Number(value)];
    }),
  );
}

describe('ticks', () => {
  const success = (isSuccess: boolean) =>
    JSON.stringify({ success: isSuccess, active_users: 5, patterns_detected: 2, predictions_queued: 1 });

  interface Tick {
    minute: number;
    /** Left out: still open. */
    tookSeconds?: number;
    state?: 'completed' | 'failed' | 'cancelled';
    result?: string | null;
    schedule?: string | null;
  }

  async function plant(ticks: readonly Tick[]): Promise<void> {
    await database.db
      .insertInto('jobs')
      .values(
        ticks.map(({ minute, tookSeconds, state = 'completed', result = null, schedule = sweepSchedule }) => {
          const due = new Date(Date.UTC(2026, 2, 2, 9, minute));
          return {
            id: uuid({ msecs: due.getTime() }),
            queue: patternDetection.name,
            payload: '{}',
            priority: 0,
            unique_key: schedule === null ? null : `${schedule}@${due.toISOString()}`,
            created_at: due,
            due_at: due,
            ...(tookSeconds === undefined
              ? {}
              : { state, result, finished_at: new Date(due.getTime() + tookSeconds * 1_000) }),
          };
        }),
      )
      .execute();
  }

  test('are those of the schedule', () => {
    const [schedule] = allSchedules({ patternSweepCron: '* * * * *' }).filter(
      ({ contract }) => contract === patternDetection,
    );
    expect(schedule?.name).toBe(sweepSchedule);
  });

  test('before the first one there is nothing to tell but that none succeeded', async () => {
    const empty = { sweep_last_finished_timestamp_seconds: 0 };
    expect(await samples()).toMatchObject(empty);
    await plant([{ minute: 0 }]);
    expect(Object.keys(await samples()).filter((name) => name.startsWith('sweep_'))).toEqual(
      Object.keys(empty),
    );
  });

  test('the newest one that has ended counts, and the last one that succeeded', async () => {
    await plant([
      { minute: 0, tookSeconds: 12.5, result: success(true) },
      { minute: 5, tookSeconds: 41, result: success(true) },
      { minute: 10 },
      // By hand, of another schedule, and of one whose name begins alike.
      { minute: 12, tookSeconds: 1, result: success(true), schedule: null },
      { minute: 13, tookSeconds: 1, result: success(true), schedule: 'pattern-swap' },
      { minute: 14, tookSeconds: 1, result: success(true), schedule: 'pattern-sweep-2' },
    ]);
    const at = (minute: number, second: number) => Date.UTC(2026, 2, 2, 9, minute, second) / 1_000;
    expect(await samples()).toMatchObject({
      sweep_last_finished_timestamp_seconds: at(5, 41),
      sweep_last_duration_seconds: 41,
      sweep_last_success: 1,
    });
    await plant([{ minute: 15, tookSeconds: 300, result: success(false) }]);
    expect(await samples()).toMatchObject({
      sweep_last_finished_timestamp_seconds: at(5, 41),
      sweep_last_duration_seconds: 300,
      sweep_last_success: 0,
    });
    await plant([{ minute: 20, tookSeconds: 7, state: 'failed' }]);
    expect(await samples()).toMatchObject({
      sweep_last_finished_timestamp_seconds: at(5, 41),
      sweep_last_duration_seconds: 7,
      sweep_last_success: 0,
    });
    await plant([{ minute: 25, tookSeconds: 9, result: success(true) }]);
    expect(await samples()).toMatchObject({
      sweep_last_finished_timestamp_seconds: at(25, 9),
      sweep_last_duration_seconds: 9,
      sweep_last_success: 1,
    });
  });

  test.each(['{"patterns_detected":1}', 'null'])(
    'one whose result is none did not succeed: %s',
    async (result) => {
      await plant([{ minute: 0, tookSeconds: 3, result }]);
      expect(await samples()).toMatchObject({
        sweep_last_finished_timestamp_seconds: 0,
        sweep_last_success: 0,
      });
    },
  );

  test('a tick that the worker has done is one that succeeded', async () => {
    await using worker = await openPatternWorker({ withModel: false });
    const { enqueue, results } = worker.fleet;
    worker.consume();
    const uniqueKey = `${sweepSchedule}@${new Date().toISOString()}`;
    const { id } = await enqueue.enqueue(patternDetection, {}, { uniqueKey, replyTo: results.name });
    const settled = await results.wait(id, busyMachineMs);
    expect(settled).toMatchObject({ state: 'completed' });
    expect(await samples(worker.fleet.database)).toMatchObject({
      sweep_last_success: 1,
      sweep_last_finished_timestamp_seconds: (settled?.finishedAt?.getTime() ?? 0) / 1_000,
    });
  });
});

describe('generation_queue', () => {
  test('rows whose page is still to be made are counted, and the oldest one’s age', async () => {
    expect(await samples()).toMatchObject({
      'generation_queue_rows{status="pending"}': 0,
      'generation_queue_rows{status="processing"}': 0,
      generation_queue_oldest_pending_age_seconds: 0,
    });
    const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);
    await insertPredictions(database.db, [
      { status: 'completed', created_at: minutesAgo(500) },
      { status: 'processing', created_at: minutesAgo(400) },
      { status: 'pending', created_at: minutesAgo(20) },
      { status: 'pending', created_at: minutesAgo(10) },
      { status: 'expired', created_at: minutesAgo(5) },
      { status: 'failed', created_at: minutesAgo(5) },
    ]);
    const measured = await samples();
    expect(measured).toMatchObject({
      'generation_queue_rows{status="pending"}': 2,
      'generation_queue_rows{status="processing"}': 1,
    });
    expect(Object.keys(measured).filter((name) => name.startsWith('generation_queue_rows'))).toHaveLength(2);
    const age = measured['generation_queue_oldest_pending_age_seconds'] ?? 0;
    expect(age).toBeGreaterThanOrEqual(1_200);
    expect(age).toBeLessThan(1_500);
  });

  test('a row of the future is no older than now', async () => {
    await insertPredictions(database.db, [{ created_at: new Date(Date.now() + 3_600_000) }]);
    expect(await samples()).toMatchObject({ generation_queue_oldest_pending_age_seconds: 0 });
  });
});

test('when MySQL cannot be asked there is no figure at all, and none that was told before', async () => {
  const registry = new Registry();
  const leaving = openDatabase(testDatabase.settings);
  measureSweeps({ db: leaving.db, registry, log });
  measureGenerationQueue({ db: leaving.db, registry, log });
  const told = async () =>
    (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect((await told()).length).toBeGreaterThan(3);
  await leaving[Symbol.asyncDispose]();
  expect(await told()).toEqual([]);
});
