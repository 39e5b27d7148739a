import { randomUUID } from 'node:crypto';
import type { Insertable } from 'kysely';
import type { GenerationQueueTable } from '../../../shared/database/generation-queue-table.ts';
import { dayMs, hourMs } from '../../../shared/patterns/local-day.ts';
import { openPatternWorker, wednesdayNoonMs, type PatternWorker } from '../../support/open-pattern-worker.ts';

let worker: PatternWorker;
beforeEach(async () => {
  worker = await openPatternWorker({ withModel: false });
});
afterEach(() => worker[Symbol.asyncDispose]());

const db = () => worker.fleet.database.db;
const at = (ms: number) => new Date(wednesdayNoonMs + ms);
const atNine = { kind: 'time', activity: 'dashboard', weekdays: [3], hour_start: 9, hour_end: 10 };
const afterLogin = { kind: 'sequence', after: 'login', activity: 'report', within_minutes: 60 };
/** This morning from nine to ten. */
const thisMorning = { window_start: at(-3 * hourMs), window_end: at(-2 * hourMs) };
const yesterday = { window_start: at(-dayMs - hourMs), window_end: at(-hourMs) };

async function predict(changes: Partial<Insertable<GenerationQueueTable>> = {}): Promise<number> {
  const row = {
    user_id: 'anna',
    page_key: 'dashboard',
    pattern: JSON.stringify(atNine),
    confidence: 0.74,
    ...thisMorning,
  };
  const { insertId } = await db()
    .insertInto('generation_queue')
    .values({ ...row, ...changes })
    .executeTakeFirstOrThrow();
  return Number(insertId);
}

const did = (activityType: string, ms: number) =>
  worker.plant('anna', [{ activityType, occurredAtMs: wednesdayNoonMs + ms, timezone: 'UTC' }]);

async function scores() {
  const rows = await db()
    .selectFrom('generation_queue')
    .select(['came_true', 'scored_at'])
    .orderBy('id')
    .execute();
  return rows.map(({ came_true, scored_at }) => (scored_at === null ? 'open' : came_true));
}

const scored = (confidence: string, outcome: string) =>
  worker.counted('predictionsScored', { confidence, outcome });

test('a window in which it was done came true, one in which it was not did not', async () => {
  await predict();
  await predict({ ...thisMorning, page_key: 'other', confidence: 0.95 });
  await did('dashboard', -2.5 * hourMs);
  await db()
    .updateTable('generation_queue')
    .set({ pattern: JSON.stringify({ ...atNine, activity: 'other' }) })
    .where('page_key', '=', 'other')
    .execute();
  await worker.startTick();
  expect(await scores()).toEqual([1, 0]);
  expect(await scored('0.7-0.8', 'came_true')).toBe(1);
  expect(await scored('0.9-1.0', 'did_not')).toBe(1);
});

test.each([
  ['a moment before it', -3 * hourMs - 1, 0],
  ['at its beginning', -3 * hourMs, 1],
  ['at its end, which no longer belongs to it', -2 * hourMs, 0],
])('done %s', async (_, ms, expected) => {
  await predict();
  await did('dashboard', ms);
  await worker.startTick();
  expect(await scores()).toEqual([expected]);
});

test('a window that has not ended is left alone, until it has', async () => {
  await predict({ window_start: at(-hourMs), window_end: at(1) });
  await worker.startTick();
  expect(await scores()).toEqual(['open']);
  worker.clock.nowMs += 1;
  await worker.startTick();
  expect(await scores()).toEqual([0]);
});

describe('a sequence', () => {
  const predictReport = () =>
    predict({ page_key: 'report', pattern: JSON.stringify(afterLogin), ...yesterday });

  test('whose leading activity was not done predicted nothing', async () => {
    await predictReport();
    await did('report', -5 * hourMs);
    await worker.startTick();
    expect(await scores()).toEqual([null]);
    expect(await scored('0.7-0.8', 'not_applicable')).toBe(1);
  });

  test('came true when the other one followed in time, also after the end of the window', async () => {
    await predictReport();
    await did('login', -hourMs - 1);
    await did('report', -1);
    await worker.startTick();
    expect(await scores()).toEqual([1]);
  });

  test('did not when it followed too late', async () => {
    await predictReport();
    await did('login', -5 * hourMs);
    await did('report', -4 * hourMs + 1);
    await worker.startTick();
    expect(await scores()).toEqual([0]);
  });

  test('is scored only when the other one could no longer follow', async () => {
    await predict({
      page_key: 'report',
      pattern: JSON.stringify(afterLogin),
      window_start: yesterday.window_start,
      window_end: at(-hourMs + 1),
    });
    await did('login', -hourMs);
    await worker.startTick();
    expect(await scores()).toEqual(['open']);
    worker.clock.nowMs += 1;
    await worker.startTick();
    expect(await scores()).toEqual([0]);
  });
});

describe('what is known of a visit of the page counts', () => {
  async function visited(changes: object): Promise<void> {
    await db()
      .insertInto('outcomes')
      .values({
        event_id: randomUUID(),
        kind: 'page_visited',
        subject: 'anna',
        page_key: 'dashboard',
        job_id: null,
        happened: 1,
        occurred_at: at(-2.5 * hourMs),
        ...changes,
      })
      .execute();
  }
  const jobId = randomUUID();

  test.each<[string, object, number]>([
    ['in the window', {}, 1],
    ['after the window', { occurred_at: at(-2 * hourMs) }, 0],
    ['whenever it was, for this prediction’s own page', { occurred_at: at(-hourMs), job_id: jobId }, 1],
    ['not of another page', { page_key: 'report' }, 0],
    ['not of another user', { subject: 'ben' }, 0],
    ['not when it is known not to have happened', { happened: 0 }, 0],
  ])('%s', async (_, changes, expected) => {
    await predict({ job_id: jobId });
    await visited(changes);
    await worker.startTick();
    expect(await scores()).toEqual([expected]);
  });
});

test('a pattern that cannot be read is put away, and said so', async () => {
  await predict({ pattern: '{"kind":"moon"}' });
  await predict({ pattern: 'not even JSON', page_key: 'other' });
  await predict({ page_key: 'third' });
  await worker.startTick();
  expect(await scores()).toEqual([null, null, 0]);
  expect(
    worker.fleet.logLines.filter((line) => line.includes('a prediction has no pattern that can be read')),
  ).toHaveLength(2);
});

test('more than a page of them, many of one moment, each once, by two ticks at once', async () => {
  await db()
    .insertInto('generation_queue')
    .values(
      Array.from({ length: 450 }, (_nothing, index) => ({
        user_id: `user-${index}`,
        page_key: 'dashboard',
        pattern: JSON.stringify(index % 3 === 0 ? afterLogin : atNine),
        confidence: 0.7,
        ...thisMorning,
        window_end: at(index < 300 ? -2 * hourMs : -2 * hourMs - index),
      })),
    )
    .execute();
  await Promise.all([worker.startTick(), worker.startTick()]);
  expect((await scores()).filter((score) => score === 'open')).toEqual([]);
  expect(await scored('0.7-0.8', 'did_not')).toBe(300);
  expect(await scored('0.7-0.8', 'not_applicable')).toBe(150);
  await worker.startTick();
  expect(await worker.counted('predictionsScored')).toBe(450);
});

test('when the time for it is up, the rest is left for the next tick', async () => {
  worker.dependencies.tickTimes.scoreUntilMs = 0;
  for (let index = 0; index < 201; index += 1) await predict({ user_id: `user-${index}` });
  await worker.startTick();
  expect((await scores()).filter((score) => score === 'open')).toHaveLength(1);
  await worker.startTick();
  expect((await scores()).filter((score) => score === 'open')).toEqual([]);
});
