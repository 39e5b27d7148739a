import { v7 as uuid } from 'uuid';
import { dayMs, hourMs } from '../../../shared/patterns/local-day.ts';
import type { Pattern } from '../../../shared/patterns/pattern.ts';
import { oneAfterOther, onWeekdays } from '../../support/make-habits.ts';
import {
  afterLogin,
  atNine,
  dashboard,
  days,
  found,
  openLookWorker,
  tomorrowAtNine,
} from '../../support/open-look-worker.ts';
import {
  llamaModel,
  proposing,
  wednesdayNoonMs,
  type PatternWorker,
} from '../../support/open-pattern-worker.ts';
import { makeNoise } from '../../support/plant-habits.ts';

const noise = makeNoise(5, days, { eventsADay: 6, activities: 6, from: 7, to: 22 });
const nothing = { patterns_detected: 0, predictions_queued: 0, model_used: null, degraded: false };

let worker: PatternWorker;
beforeEach(async () => {
  worker = await openLookWorker();
});
afterEach(() => worker[Symbol.asyncDispose]());

const db = () => worker.fleet.database.db;

test('a prediction keeps what was proposed, claimed and confirmed, and its page’s job is accepted', async () => {
  await worker.plant('anna', dashboard);
  const jobId = uuid();
  worker.says(proposing({ ...atNine, reason: 'Opens it \u0007each\nmorning', confidence: 0.51 }));
  expect(await worker.look('anna', { jobId })).toEqual(found(1, 1));
  const [row, ...more] = await worker.predictions();
  expect(more).toEqual([]);
  expect(row).toEqual({
    id: expect.any(Number),
    user_id: 'anna',
    page_key: 'dashboard',
    pattern: atNine,
    confidence: expect.any(Number),
    claimed_confidence: 0.51,
    reason: 'Opens it each morning',
    proposed_by: `together-${llamaModel}`,
    hits: 22,
    occasions: 22,
    timezone: 'UTC',
    status: 'pending',
    ...tomorrowAtNine,
    detection_job_id: jobId,
    job_id: expect.any(String),
    came_true: null,
    scored_at: null,
    created_at: new Date(wednesdayNoonMs),
  });
  expect(row?.confidence).toBeGreaterThan(0.85);
  expect(await worker.contentJobs()).toEqual([{ id: row?.job_id, payload: { generation_id: row?.id } }]);
  expect(await worker.counted('patternProposals', { proposed_by: 'model', outcome: 'detected' })).toBe(1);
  expect(await worker.counted('patternProposals', { proposed_by: 'statistics', outcome: 'same' })).toBe(1);
});

test('what the user’s days do not show is stored by no claim, and what only the model saw counts', async () => {
  const standup = onWeekdays('standup', days, { weekdays: [1, 3, 5] });
  await worker.plant('anna', [...standup, ...noise]);
  const onThreeDays: Pattern = { ...atNine, activity: 'standup', weekdays: [1, 3, 5] };
  const invented: Pattern = { ...onThreeDays, weekdays: [2, 4] };
  worker.says(proposing({ ...invented, confidence: 1 }, { ...onThreeDays, confidence: 0.61 }));
  expect(await worker.look('anna')).toEqual(found(1, 1));
  expect(await worker.predictions()).toMatchObject([
    { pattern: onThreeDays, claimed_confidence: 0.61, hits: 13, occasions: 13 },
  ]);
  expect(await worker.counted('patternProposals', { proposed_by: 'model', outcome: 'refuted' })).toBe(1);
});

test('habits are those of the user’s own clock, and so are their windows', async () => {
  const inNewYork = dashboard.map((event) => ({
    ...event,
    // The same wall clock: five hours behind, four since the 8th of March.
    occurredAtMs:
      event.occurredAtMs + (event.occurredAtMs < Date.parse('2026-03-08T07:00:00Z') ? 5 : 4) * hourMs,
    timezone: 'America/New_York',
  }));
  await worker.plant('anna', inNewYork);
  expect(await worker.look('anna')).toEqual(found(1, 1));
  expect(await worker.predictions()).toMatchObject([
    {
      pattern: atNine,
      hits: 22,
      occasions: 22,
      timezone: 'America/New_York',
      // At noon UTC it is eight there: today's window is still to come.
      window_start: new Date('2026-03-11T13:00:00Z'),
      window_end: new Date('2026-03-11T14:00:00Z'),
    },
  ]);
});

describe('a window that is open', () => {
  const openMs = Date.parse('2026-03-11T09:30:00Z');
  beforeEach(() => worker.plant('anna', dashboard));

  test('is the predicted one, while its activity is missing', async () => {
    worker.clock.nowMs = openMs;
    await worker.look('anna');
    expect(await worker.predictions()).toMatchObject([{ window_start: new Date('2026-03-11T09:00:00Z') }]);
  });

  test('is passed over once the activity is done', async () => {
    worker.clock.nowMs = openMs;
    await worker.plant('anna', [
      { activityType: 'dashboard', occurredAtMs: openMs - 60_000, timezone: 'UTC' },
    ]);
    await worker.look('anna');
    expect(await worker.predictions()).toMatchObject([tomorrowAtNine]);
  });
});

test('one page gets one prediction: the earliest of its windows', async () => {
  // The dashboard at nine, and the same dashboard after each login.
  await worker.plant('anna', [...dashboard, ...oneAfterOther('login', 'dashboard', days)]);
  worker.says(proposing(atNine, { ...afterLogin, activity: 'dashboard' }));
  expect(await worker.look('anna')).toEqual(found(2, 1));
  expect(await worker.predictions()).toMatchObject([
    {
      pattern: { kind: 'sequence' },
      window_start: new Date(wednesdayNoonMs),
      window_end: new Date(wednesdayNoonMs + dayMs),
    },
  ]);
});

describe('nobody is asked', () => {
  afterEach(() => expect(worker.llm.requests).toEqual([]));

  test('about noise', async () => {
    await worker.plant('anna', noise);
    expect(await worker.look('anna')).toEqual(nothing);
  });

  test('about days in which nothing comes near to a habit', async () => {
    // All Tuesdays but the last one.
    await worker.plant('anna', [...onWeekdays('planning', days, { weekdays: [2] }).slice(0, 4), ...noise]);
    expect(await worker.look('anna')).toEqual(nothing);
    expect(await worker.counted('patternProposals', { proposed_by: 'statistics' })).toBeGreaterThan(0);
  });

  test('about a user who has gone', async () => {
    await worker.plant('anna', onWeekdays('dashboard', { ...days, endDay: days.endDay - 7 }));
    expect(await worker.look('anna')).toEqual(nothing);
  });

  test('about a user who never did anything; nothing is kept of the look either', async () => {
    expect(await worker.look('anna')).toEqual(nothing);
    expect(await db().selectFrom('activity_looks').selectAll().execute()).toEqual([]);
  });
});

test('a look by hand is a look: the next tick finds nothing new', async () => {
  await worker.plant('anna', dashboard);
  worker.consume();
  expect(await worker.resultOf({ user_id: 'anna' })).toEqual(found(1, 1));
  expect(await worker.resultOf({})).toEqual({
    success: true,
    active_users: 1,
    patterns_detected: 0,
    predictions_queued: 0,
  });
  expect(worker.llm.requests).toHaveLength(1);
});

test('of a user who is forgotten during the look, nothing comes back', async () => {
  await worker.plant('anna', dashboard);
  const { textGeneration } = worker.dependencies;
  worker.dependencies.textGeneration = {
    ...textGeneration,
    async generate(request, context) {
      const generated = await textGeneration.generate(request, context);
      await db().deleteFrom('activity_log').execute();
      await db().deleteFrom('activity_looks').execute();
      return generated;
    },
  };
  expect(await worker.look('anna')).toEqual(found(1, 0));
  expect(await worker.predictions()).toEqual([]);
  expect(await worker.contentJobs()).toEqual([]);
  expect(await db().selectFrom('activity_looks').selectAll().execute()).toEqual([]);
});

test('a look that is aborted stops, and queues nothing', async () => {
  await worker.plant('anna', dashboard);
  const control = new AbortController();
  worker.llm.failNext('chat', { kind: 'hang' });
  const looking = worker.look('anna', { signal: control.signal });
  await worker.llm.arrived(1);
  control.abort();
  await expect(looking).rejects.toMatchObject({ kind: 'cancelled' });
  expect(await worker.predictions()).toEqual([]);
});
