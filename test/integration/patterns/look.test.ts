import type { Insertable } from 'kysely';
import { v7 as uuid } from 'uuid';
import type { GenerationQueueTable } from '../../../shared/database/generation-queue-table.ts';
import { dayMs, daysBefore, hourMs } from '../../../shared/patterns/local-day.ts';
import type { Pattern } from '../../../shared/patterns/pattern.ts';
import { oneAfterOther, onWeekdays, workdays } from '../../support/make-habits.ts';
import {
  llamaModel,
  openPatternWorker,
  proposing,
  wednesdayNoonMs,
  type PatternWorker,
} from '../../support/open-pattern-worker.ts';
import { makeNoise } from '../../support/plant-habits.ts';

const days = daysBefore(wednesdayNoonMs, 'UTC', 30);
const dashboard = onWeekdays('dashboard', days);
const report = oneAfterOther('login', 'report', days);
const noise = makeNoise(5, days, { eventsADay: 6, activities: 6, from: 7, to: 22 });
const atNine: Pattern = {
  kind: 'time',
  activity: 'dashboard',
  weekdays: [...workdays],
  hour_start: 9,
  hour_end: 10,
};
const afterLogin: Pattern = { kind: 'sequence', after: 'login', activity: 'report', within_minutes: 5 };
const tomorrowAtNine = {
  window_start: new Date('2026-03-12T09:00:00Z'),
  window_end: new Date('2026-03-12T10:00:00Z'),
};
const nothing = { patterns_detected: 0, predictions_queued: 0, model_used: null, degraded: false };
const found = (patterns: number, predictions: number) => ({
  patterns_detected: patterns,
  predictions_queued: predictions,
  model_used: `together-${llamaModel}`,
  degraded: false,
});

let worker: PatternWorker;
beforeEach(async () => {
  worker = await openPatternWorker();
  worker.says(proposing(atNine, afterLogin));
});
afterEach(() => worker[Symbol.asyncDispose]());

const db = () => worker.fleet.database.db;
const pageKeys = async () => (await worker.predictions()).map(({ page_key }) => page_key);

async function addRow(changes: Partial<Insertable<GenerationQueueTable>> = {}): Promise<void> {
  const row = { user_id: 'anna', page_key: 'dashboard', pattern: JSON.stringify(atNine), confidence: 0.9 };
  await db()
    .insertInto('generation_queue')
    .values({ ...row, ...tomorrowAtNine, ...changes })
    .execute();
}

async function addPage(windowStart: Date | null, expiresAt: Date): Promise<void> {
  await db()
    .insertInto('page_cache')
    .values({
      user_id: 'anna',
      page_key: 'dashboard',
      content: '{}',
      expires_at: expiresAt,
      window_start: windowStart,
    })
    .execute();
}

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

describe('nothing is queued', () => {
  beforeEach(() => worker.plant('anna', dashboard));

  test.each<[string, Partial<Insertable<GenerationQueueTable>>]>([
    ['is about to be made for any window', { window_start: new Date(0), window_end: new Date(1) }],
    [
      'is being made for any window',
      { window_start: new Date(0), window_end: new Date(1), status: 'processing' },
    ],
    ['was made for this window', { status: 'completed' }],
    ['could not be made for this window', { status: 'failed' }],
    [
      'was made for some of this window',
      {
        status: 'completed',
        window_start: new Date('2026-03-12T09:59:00Z'),
        window_end: new Date('2026-03-12T12:00:00Z'),
      },
    ],
  ])('where a page %s', async (_, row) => {
    await addRow(row);
    expect(await worker.look('anna')).toEqual(found(1, 0));
    expect(await worker.predictions()).toHaveLength(1);
    expect(await worker.contentJobs()).toEqual([]);
  });

  test('where the user has a fresh page that nobody made for an earlier window', async () => {
    await addPage(null, new Date(wednesdayNoonMs + 1));
    expect(await worker.look('anna')).toEqual(found(1, 0));
    expect(await worker.predictions()).toEqual([]);
  });
});

describe('a page is queued', () => {
  beforeEach(() => worker.plant('anna', dashboard));

  test.each<[string, Partial<Insertable<GenerationQueueTable>>]>([
    [
      'for a window that ends where this one begins',
      { window_start: new Date(0), window_end: tomorrowAtNine.window_start },
    ],
    ['for another user', { user_id: 'ben', status: 'pending' }],
    ['for another page', { page_key: 'report', status: 'pending' }],
  ])('whatever was made %s', async (_, row) => {
    await addRow({ status: 'completed', ...row });
    expect(await worker.look('anna')).toEqual(found(1, 1));
  });

  test('where the page that the user has was made for today’s window', async () => {
    await addPage(new Date('2026-03-11T09:00:00Z'), new Date(wednesdayNoonMs + dayMs));
    expect(await worker.look('anna')).toEqual(found(1, 1));
  });

  test('where the page that the user has is stale', async () => {
    await addPage(null, new Date(wednesdayNoonMs));
    expect(await worker.look('anna')).toEqual(found(1, 1));
  });
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

describe('once, whatever happens', () => {
  test('a run after the first one asks nobody, queues nothing more, and answers the same', async () => {
    await worker.plant('anna', [...dashboard, ...report]);
    const jobId = uuid();
    const first = await worker.look('anna', { jobId });
    expect(first).toEqual(found(2, 2));
    const rows = await worker.predictions();
    // Later: the sequence's window would be another one.
    worker.clock.nowMs += 60_000;
    expect(await worker.look('anna', { jobId, mayHaveRunBefore: true })).toEqual(first);
    expect(await worker.predictions()).toEqual(rows);
    expect(await worker.contentJobs()).toHaveLength(2);
    expect(worker.llm.requests).toHaveLength(1);
  });

  test('a run that was cut off between a row and its job leaves neither; the next one asks nobody', async () => {
    await worker.plant('anna', dashboard);
    const jobId = uuid();
    const { enqueue } = worker.dependencies;
    worker.dependencies.enqueue = {
      ...enqueue,
      enqueueWithin: () => Promise.reject(new Error('the process ended here')),
    };
    await expect(worker.look('anna', { jobId })).rejects.toThrow('the process ended here');
    expect(await worker.predictions()).toEqual([]);
    worker.dependencies.enqueue = enqueue;
    expect(await worker.look('anna', { jobId, mayHaveRunBefore: true })).toEqual(found(1, 1));
    expect(await worker.contentJobs()).toHaveLength(1);
    expect(worker.llm.requests).toHaveLength(1);
  });

  test('a run that was cut off between two predictions queues the other one', async () => {
    await worker.plant('anna', [...dashboard, ...report]);
    const jobId = uuid();
    const { enqueue } = worker.dependencies;
    worker.dependencies.enqueue = {
      ...enqueue,
      dispatch: () => Promise.reject(new Error('the process ended here')),
    };
    await expect(worker.look('anna', { jobId })).rejects.toThrow('the process ended here');
    expect(await pageKeys()).toEqual(['report']);
    worker.dependencies.enqueue = enqueue;
    expect(await worker.look('anna', { jobId, mayHaveRunBefore: true })).toEqual(found(2, 2));
    expect(await pageKeys()).toEqual(['dashboard', 'report']);
  });

  test('two runs of one job at once', async () => {
    await worker.plant('anna', [...dashboard, ...report]);
    const jobId = uuid();
    const results = await Promise.all([
      worker.look('anna', { jobId }),
      worker.look('anna', { jobId, mayHaveRunBefore: true }),
    ]);
    expect(results.map(({ patterns_detected }) => patterns_detected)).toEqual([2, 2]);
    expect(await pageKeys()).toEqual(['dashboard', 'report']);
    expect(await worker.contentJobs()).toHaveLength(2);
    expect(worker.llm.requests).toHaveLength(1);
  });

  test('many looks by hand at one user at once', async () => {
    await worker.plant('anna', [...dashboard, ...report]);
    // So that the windows of the sequence all differ.
    worker.dependencies.now = () => (worker.clock.nowMs += 1);
    const results = await Promise.all(Array.from({ length: 8 }, () => worker.look('anna')));
    expect(
      results.map(({ predictions_queued }) => predictions_queued).reduce((one, other) => one + other),
    ).toBe(2);
    expect(await pageKeys()).toEqual(['dashboard', 'report']);
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
