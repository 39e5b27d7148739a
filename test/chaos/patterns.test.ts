import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Transaction } from 'kysely';
import { insertActivity } from '../../shared/activity/insert-activity.ts';
import { contentGeneration } from '../../shared/contracts/content-generation.ts';
import { patternDetection } from '../../shared/contracts/pattern-detection.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { inventAnswer } from '../../shared/emulators/invent-answer.ts';
import { openLlmServer, type LlmServer } from '../../shared/emulators/llm-server.ts';
import type { ActivityEvent } from '../../shared/patterns/activity-log.ts';
import { daysBefore } from '../../shared/patterns/local-day.ts';
import { killWorkerWhile } from '../support/kill-worker-while.ts';
import { everyDay, oneAfterOther, onWeekdays } from '../support/make-habits.ts';
import { openRunningFleet, type RunningFleet } from '../support/open-running-fleet.ts';
import { makeNoise } from '../support/plant-habits.ts';
import { readLogLines } from '../support/read-log-lines.ts';
import { runPresage } from '../support/run-presage.ts';
import { busyMachineMs, until } from '../support/until.ts';

const queue = patternDetection.name;
const days = daysBefore(Date.now(), 'UTC', 30);
const morning = onWeekdays('dashboard-quokka', days, { weekdays: everyDay });

let resources: AsyncDisposableStack;
let llm: LlmServer;
let running: RunningFleet;
beforeAll(async () => {
  resources = new AsyncDisposableStack();
  llm = resources.use(await openLlmServer({ answer: inventAnswer }));
  running = resources.use(
    await openRunningFleet({
      environment: {
        LOG_LEVEL: 'trace',
        TOGETHER_BASE_URL: llm.chatUrl,
        OPENAI_BASE_URL: llm.chatUrl,
      },
    }),
  );
});
afterAll(() => resources.disposeAsync());
/** Lets models answer. */
let answer = () => {};
afterEach(() => answer());

const database = () => running.clients.database.db;

async function plant(events: readonly ActivityEvent[]): Promise<string> {
  const userId = `user-zebra-${randomUUID()}`;
  await insertActivity(
    database(),
    events.map(({ activityType, occurredAtMs, timezone }) => ({
      event_id: randomUUID(),
      user_id: userId,
      activity_type: activityType,
      occurred_at: new Date(occurredAtMs),
      timezone,
      metadata: null,
    })),
  );
  return userId;
}

/** One tick by hand, as an operator does it; answers what it prints, on one line. */
async function tick(): Promise<string> {
  const { exitCode, output, messages } = await runPresage(
    ['enqueue', queue, '--json', '{}', '--wait', String(busyMachineMs)],
    running.fleet.environment,
  );
  expect({ exitCode, messages }).toEqual({ exitCode: 0, messages: '' });
  return output.trimEnd();
}

const printed = (users: number, patterns: number, predictions: number) =>
  JSON.stringify({
    success: true,
    active_users: users,
    patterns_detected: patterns,
    predictions_queued: predictions,
  });

const predictionsOf = (userId: string) =>
  database().selectFrom('generation_queue').selectAll().where('user_id', '=', userId).execute();

/** How many predictions of a user are committed, and how many are written, committed or not. */
async function countPredictions(userId: string): Promise<{ committed: number; written: number }> {
  const committed = (await predictionsOf(userId)).length;
  const written = await database()
    .transaction()
    .setIsolationLevel('read uncommitted')
    .execute((dirty) =>
      dirty.selectFrom('generation_queue').select('id').where('user_id', '=', userId).execute(),
    );
  return { committed, written: written.length };
}

const callsOf = (jobId: string) =>
  database().selectFrom('llm_calls').select(['ask', 'state']).where('job_id', '=', jobId).execute();

async function lookAt(userId: string): Promise<string> {
  await until(async () => (await looksAt(userId)).length > 0);
  const [jobId = ''] = await looksAt(userId);
  return jobId;
}

async function looksAt(userId: string): Promise<string[]> {
  const jobs = await running.clients.ledger.list({ queue, search: userId, limit: 10 });
  return jobs.map(({ id }) => id);
}

test('a tick by hand prints exactly what document 001 says, and its pages are made; the next one has nothing to do', async () => {
  await plant(morning);
  await plant(oneAfterOther('login-quokka', 'report-quokka', days));
  await plant([...morning, ...oneAfterOther('login-quokka', 'report-quokka', days)]);
  await plant(makeNoise(5, days, { eventsADay: 6, activities: 6, from: 7, to: 22 }));
  expect(await tick()).toBe('{"success":true,"active_users":4,"patterns_detected":4,"predictions_queued":4}');
  const pages = () => database().selectFrom('page_cache').selectAll().execute();
  await until(async () => (await pages()).length === 4);
  const requests = llm.requests.length;
  expect(requests).toBe(3 + 4);

  expect(await tick()).toBe('{"success":true,"active_users":4,"patterns_detected":0,"predictions_queued":0}');
  expect(llm.requests).toHaveLength(requests);
  expect(await pages()).toHaveLength(4);
});

/** Two settled jobs, so that what is locked between their keys is nothing but jobs of `content-generation`. */
const keysAround = [`${contentGeneration.name}!`, `${contentGeneration.name}~`] as const;

async function setKeysAround(): Promise<void> {
  for (const uniqueKey of keysAround) {
    const failure = { kind: 'permanent', code: 'PLACEHOLDER', message: 'for a test' } as const;
    const id = await running.clients.ledger.recordStray({ queue, payload: '{}', failure });
    await database().updateTable('jobs').set({ unique_key: uniqueKey }).where('id', '=', id).execute();
  }
}

describe('kill -9', () => {
  beforeAll(setKeysAround);

  let users = 4;
  test.each<
    [string, (transaction: Transaction<Tables>, userId: string, lookId: string) => Promise<unknown>, object]
  >([
    [
      'after the model answered, before anything is queued',
      (transaction, userId) =>
        transaction
          .selectFrom('activity_looks')
          .select('user_id')
          .where('user_id', '=', userId)
          .forUpdate()
          .execute(),
      { committed: 0, written: 0 },
    ],
    [
      'between the row and its job',
      (transaction) =>
        transaction
          .selectFrom('jobs')
          .select('id')
          .where('unique_key', '>', keysAround[0])
          .where('unique_key', '<', keysAround[1])
          .forUpdate()
          .execute(),
      { committed: 0, written: 1 },
    ],
    [
      'after both are committed, before the look is settled',
      (transaction, _, lookId) =>
        transaction.selectFrom('jobs').select('id').where('id', '=', lookId).forUpdate().execute(),
      { committed: 1, written: 1 },
    ],
  ])('%s: one row, one job, one page, one paid call each', async (_, hold, predictions) => {
    const userId = await plant(morning);
    users += 1;
    const before = llm.requests.length;
    answer = llm.hold();
    const ticking = tick();
    const lookId = await lookAt(userId);
    await killWorkerWhile(running, queue, {
      async hold(transaction) {
        await hold(transaction, userId, lookId);
        answer();
      },
      isThere: async () =>
        (await callsOf(lookId))[0]?.state === 'answered' &&
        isDeepStrictEqual(await countPredictions(userId), predictions),
    });
    expect(await ticking).toBe(printed(users, 1, 1));
    expect(await looksAt(userId)).toEqual([lookId]);

    const [row, ...more] = await predictionsOf(userId);
    expect(more).toEqual([]);
    expect(row).toMatchObject({ page_key: 'dashboard-quokka', detection_job_id: lookId });
    const contentJobId = row?.job_id ?? '';
    const payload = { generation_id: row?.id };
    const jobs = await running.clients.ledger.list({ queue: contentGeneration.name, limit: 100 });
    expect(jobs.filter((job) => JSON.stringify(job.payload) === JSON.stringify(payload))).toMatchObject([
      { id: contentJobId },
    ]);
    expect(await running.settled([contentJobId])).toEqual(['completed']);
    const pages = await database()
      .selectFrom('page_cache')
      .select(['page_key', 'generation_id', 'degraded'])
      .where('user_id', '=', userId)
      .execute();
    expect(pages).toEqual([{ page_key: 'dashboard-quokka', generation_id: row?.id, degraded: 0 }]);
    expect(await callsOf(lookId)).toEqual([{ ask: 1, state: 'answered' }]);
    expect(await callsOf(contentJobId)).toEqual([{ ask: 1, state: 'answered' }]);
    expect(llm.requests).toHaveLength(before + 2);
  });
});

test('no log line of any process holds a user, what they did, a prompt or an answer', () => {
  const lines = readLogLines(running.logDirectory);
  expect(lines.filter((line) => line.startsWith(`${queue}-1.log`)).length).toBeGreaterThan(0);
  expect(lines.filter((line) => line.includes('the tick is over')).length).toBeGreaterThanOrEqual(5);
  expect(lines.filter((line) => /zebra|quokka|<facts>|habit|Invented/.test(line))).toEqual([]);
});
