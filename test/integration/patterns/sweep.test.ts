import { sql } from 'kysely';
import { v7 as uuid } from 'uuid';
import { patternDetection } from '../../../shared/contracts/pattern-detection.ts';
import { daysBefore, dayMs, hourMs } from '../../../shared/patterns/local-day.ts';
import { oneAfterOther, onWeekdays } from '../../support/make-habits.ts';
import { makeNoise } from '../../support/plant-habits.ts';
import {
  openPatternWorker,
  proposing,
  wednesdayNoonMs,
  type PatternWorker,
  type PatternWorkerOptions,
} from '../../support/open-pattern-worker.ts';
import { until } from '../../support/until.ts';

const days = daysBefore(wednesdayNoonMs, 'UTC', 30);
const dashboard = onWeekdays('dashboard', days);
const report = oneAfterOther('login', 'report', days);
const fridays = onWeekdays('planning', days, { weekdays: [5] });
const noise = makeNoise(5, days, { eventsADay: 6, activities: 6, from: 7, to: 22 });

let worker: PatternWorker;
async function open(options?: PatternWorkerOptions): Promise<void> {
  worker = await openPatternWorker(options);
}
afterEach(() => worker[Symbol.asyncDispose]());

/** Looks, by user: every one that any tick has ever accepted. */
async function looks(): Promise<Record<string, number>> {
  const jobs = await worker.fleet.ledger.list({ queue: patternDetection.name, limit: 1_000 });
  const users = jobs.flatMap(({ payload }) => Object.values(payload as object));
  return Object.fromEntries(
    [...new Set(users)].sort().map((user) => [user, users.filter((one) => one === user).length]),
  );
}

const tick = () => worker.resultOf({});
const sweeps = (outcome: string) => worker.counted('sweeps', { outcome });
const doneNow = (activityType: string, agoMs = hourMs) => [
  { activityType, occurredAtMs: wednesdayNoonMs - agoMs, timezone: 'UTC' },
];

async function plantKnownUsers(): Promise<void> {
  await worker.plant('anna', dashboard);
  await worker.plant('ben', report);
  await worker.plant('cleo', noise);
  await worker.plant('dora', [...dashboard, ...report, ...noise]);
  await worker.plant('emil', fridays);
  // Perfect once, but gone for a week and more.
  await worker.plant('fritz', onWeekdays('dashboard', { startDay: days.startDay, endDay: days.endDay - 8 }));
}
const looksAtKnownUsers = { anna: 1, ben: 1, cleo: 1, dora: 1, emil: 1 };

describe.each([
  ['with no model', false, 0],
  // Of noise it is not asked.
  ['with a model', true, 4],
])('a tick %s', (_, withModel, calls) => {
  beforeEach(async () => {
    await open({ withModel });
    await plantKnownUsers();
    worker.says(
      proposing(
        { kind: 'time', activity: 'dashboard', weekdays: [1, 2, 3, 4, 5], hour_start: 9, hour_end: 10 },
        { kind: 'time', activity: 'planning', weekdays: [5], hour_start: 9, hour_end: 10 },
        { kind: 'sequence', after: 'login', activity: 'report', within_minutes: 5 },
      ),
    );
    worker.consume();
  });

  test('answers exactly what document 001 says', async () => {
    // Four Fridays make a pattern that is likely, not likely enough for a page.
    expect(JSON.stringify(await tick())).toBe(
      '{"success":true,"active_users":5,"patterns_detected":5,"predictions_queued":4}',
    );
    expect(worker.llm.requests).toHaveLength(calls);
    expect((await worker.predictions()).map(({ user_id, page_key }) => `${user_id} ${page_key}`)).toEqual([
      'anna dashboard',
      'ben report',
      'dora dashboard',
      'dora report',
    ]);
    expect(await worker.contentJobs()).toHaveLength(4);
    expect(await looks()).toEqual(looksAtKnownUsers);
    expect(await worker.counted('patternsDetected')).toBe(5);
    expect(await worker.counted('predictionsQueued')).toBe(4);
    expect(await sweeps('success')).toBe(1);
    const line = worker.fleet.logLines.find((one) => one.includes('the tick is over'));
    expect(JSON.parse(line ?? '')).toMatchObject({
      active_users: 5,
      failed_users: 0,
      seconds: expect.any(Number),
    });
  });

  test('without new activity since the last one asks nobody and queues nothing', async () => {
    await tick();
    const before = { requests: worker.llm.requests.length, rows: await worker.predictions() };
    expect(JSON.stringify(await tick())).toBe(
      '{"success":true,"active_users":5,"patterns_detected":0,"predictions_queued":0}',
    );
    expect({ requests: worker.llm.requests.length, rows: await worker.predictions() }).toEqual(before);
    expect(await worker.contentJobs()).toHaveLength(4);
    expect(await looks()).toEqual(looksAtKnownUsers);
  });

  test('looks at those again who did something new, however long ago it happened', async () => {
    await tick();
    await worker.plant('anna', doneNow('dashboard'));
    await worker.plant('ben', doneNow('came-in-late', 20 * dayMs));
    expect(await tick()).toMatchObject({ success: true, active_users: 5, patterns_detected: 2 });
    expect(await looks()).toEqual({ ...looksAtKnownUsers, anna: 2, ben: 2 });
    // What was predicted before is still to come.
    expect(await worker.predictions()).toHaveLength(4);
  });
});

test('a database without any activity', async () => {
  await open();
  worker.consume();
  expect(await tick()).toEqual({
    success: true,
    active_users: 0,
    patterns_detected: 0,
    predictions_queued: 0,
  });
});

test('two ticks at once give each user one look', async () => {
  await open({ withModel: false });
  for (let user = 0; user < 30; user += 1) await worker.plant(`user-${user}`, dashboard);
  worker.consume();
  const results = await Promise.all([tick(), tick(), tick()]);
  expect(Object.values(await looks())).toEqual(Array.from({ length: 30 }, () => 1));
  expect(await worker.predictions()).toHaveLength(30);
  const sums = results.map((result) => patternDetection.result.parse(result).predictions_queued);
  expect(sums.reduce((sum, queued) => sum + queued, 0)).toBe(30);
});

test('a tick that was cut off and runs again gives nobody a second look, and counts the first ones', async () => {
  await open({ withModel: false });
  await plantKnownUsers();
  const jobId = uuid();
  const first = await worker.startTick({ jobId });
  const again = await worker.startTick({ jobId, mayHaveRunBefore: true });
  expect([first, again].map(({ options }) => options.interim)).toEqual([
    expect.objectContaining({ active_users: 5, complete: true }),
    expect.objectContaining({ active_users: 5, complete: true }),
  ]);
  expect(await looks()).toEqual(looksAtKnownUsers);
  expect(await worker.fleet.ledger.childProgress(jobId)).toEqual({ done: 0, total: 5 });
});

test('while a look is open, the user gets no other one; afterwards new activity is looked at', async () => {
  await open({ withModel: false });
  await worker.plant('anna', dashboard);
  await worker.startTick();
  await worker.plant('anna', doneNow('dashboard'));
  await worker.startTick();
  expect(await looks()).toEqual({ anna: 1 });
  worker.consume();
  await until(async () => (await worker.fleet.ledger.countOpen(patternDetection.name, 1)) === 0);
  await tick();
  expect(await looks()).toEqual({ anna: 2 });
});

test('a look that failed takes nothing from the others, and is not repeated until there is something new', async () => {
  await open({ withModel: false, policy: { patienceMs: 0, degradedAnswers: 'deny' } });
  await worker.plant('anna', dashboard);
  await worker.plant('cleo', noise);
  worker.consume();
  expect(await tick()).toEqual({
    success: true,
    active_users: 2,
    patterns_detected: 0,
    predictions_queued: 0,
  });
  expect(worker.fleet.logLines.find((line) => line.includes('the tick is over'))).toContain(
    '"failed_users":1',
  );
  await tick();
  expect(await looks()).toEqual({ anna: 1, cleo: 1 });
  await worker.plant('anna', doneNow('dashboard'));
  await tick();
  expect(await looks()).toEqual({ anna: 2, cleo: 1 });
});

test('a tick that has no time for all users says so, and the next one goes on', async () => {
  const times = { scoreUntilMs: 0, learnUntilMs: 0, walkUntilMs: 0, endAfterMs: 60_000 };
  await open({ withModel: false, tickTimes: times });
  await worker.plant('anna', dashboard);
  worker.consume();
  expect(await tick()).toEqual({
    success: false,
    active_users: 0,
    patterns_detected: 0,
    predictions_queued: 0,
  });
  expect(await sweeps('incomplete')).toBe(1);
  times.walkUntilMs = 60_000;
  expect(await tick()).toMatchObject({ success: true, active_users: 1, predictions_queued: 1 });
});

test('a tick ends in time although a look is open, with its counts so far; the look goes on', async () => {
  await open({ tickTimes: { scoreUntilMs: 0, learnUntilMs: 0, walkUntilMs: 60_000, endAfterMs: 1_000 } });
  await worker.plant('anna', dashboard);
  await worker.plant('cleo', noise);
  const gate = Promise.withResolvers<void>();
  const { textGeneration } = worker.dependencies;
  worker.dependencies.textGeneration = {
    ...textGeneration,
    generate: (request, context) => gate.promise.then(() => textGeneration.generate(request, context)),
  };
  worker.fleet.startRelay();
  worker.consume();
  expect(await tick()).toEqual({
    success: false,
    active_users: 2,
    patterns_detected: 0,
    predictions_queued: 0,
  });
  expect(await sweeps('incomplete')).toBe(1);
  gate.resolve();
  await until(async () => (await worker.predictions()).length === 1);
});

test('users of other systems, whose ids are long and whose activities have no names, hold up nobody', async () => {
  await open({ withModel: false });
  const longId = '🦓'.repeat(128);
  await worker.plant(longId, dashboard);
  await worker.plant('anna', dashboard);
  await sql`insert into activity_log (user_id, activity_type, occurred_at, timezone)
            values ('odd', '', ${new Date(wednesdayNoonMs - dayMs)}, 'Mars/Olympus')`.execute(
    worker.fleet.database.db,
  );
  worker.consume();
  expect(await tick()).toEqual({
    success: true,
    active_users: 3,
    patterns_detected: 2,
    predictions_queued: 2,
  });
  expect(await looks()).toEqual({ anna: 1, odd: 1, [longId]: 1 });
});

test('a tick that is aborted stops', async () => {
  await open({ withModel: false });
  await worker.plant('anna', dashboard);
  const aborted = AbortSignal.abort(new Error('shut down'));
  await expect(worker.startTick({ signal: aborted })).rejects.toThrow('shut down');
  expect(await looks()).toEqual({});
});
