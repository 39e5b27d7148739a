import { dayMs, daysBefore, hourMs } from '../../../shared/patterns/local-day.ts';
import { populationSchema } from '../../../shared/patterns/population.ts';
import { openPatternWorker, wednesdayNoonMs, type PatternWorker } from '../../support/open-pattern-worker.ts';
import { makeNoise, plantHabits } from '../../support/plant-habits.ts';

const days = daysBefore(wednesdayNoonMs, 'UTC', 30);

let worker: PatternWorker;
beforeEach(async () => {
  worker = await openPatternWorker({ withModel: false });
});
afterEach(() => worker[Symbol.asyncDispose]());

async function populations() {
  const rows = await worker.fleet.database.db.selectFrom('populations').selectAll().orderBy('id').execute();
  return rows.map(({ population, users, learnt_at }) => ({
    examples: populationSchema.parse(JSON.parse(population)).examples,
    users,
    learnt_at,
  }));
}

async function plantUsers(from: number, to: number): Promise<void> {
  for (let seed = from; seed < to; seed += 1)
    await worker.plant(`user-${seed}`, plantHabits(seed, days).events);
}

test('is done by the first tick, and again after a day', async () => {
  await plantUsers(0, 12);
  await worker.startTick();
  const [first] = await populations();
  expect(first).toEqual({ examples: expect.any(Number), users: 12, learnt_at: new Date(wednesdayNoonMs) });
  expect(first?.examples).toBeGreaterThan(30);

  worker.clock.nowMs += dayMs - 1;
  await worker.startTick();
  expect(await populations()).toHaveLength(1);
  worker.clock.nowMs += 1;
  await worker.startTick();
  expect(await populations()).toEqual([
    first,
    expect.objectContaining({ learnt_at: new Date(worker.clock.nowMs) }),
  ]);
});

test('is done again by each tick while there is little to learn from, and kept when there is more', async () => {
  await worker.startTick();
  expect(await populations()).toMatchObject([{ examples: 0, users: 0 }]);
  await plantUsers(0, 3);
  await worker.startTick();
  await worker.startTick();
  expect(await populations()).toMatchObject([{ users: 0 }, { users: 3 }]);
  await plantUsers(3, 15);
  await worker.startTick();
  await worker.startTick();
  expect(await populations()).toMatchObject([{ users: 0 }, { users: 3 }, { users: 15 }]);
});

test('ends when its time is up, with what it has', async () => {
  await plantUsers(0, 3);
  worker.dependencies.tickTimes.learnUntilMs = 0;
  await worker.startTick();
  expect(await populations()).toMatchObject([{ examples: 0 }]);
});

test('what was learnt is what confidence goes by; what cannot be read is as nothing', async () => {
  await worker.plant('anna', plantHabits(1, days).events);
  const { db } = worker.fleet.database;
  const never = JSON.stringify({
    version: 1,
    time: [-9, 0, 0, 0, 0, 0],
    sequence: [-9, 0, 0, 0, 0, 0],
    examples: 100,
  });
  const learnt = { users: 100, learnt_at: new Date(wednesdayNoonMs - hourMs) };
  await db
    .insertInto('populations')
    .values({ population: never, ...learnt })
    .execute();
  expect(await worker.look('anna')).toMatchObject({ patterns_detected: 0 });
  await db
    .insertInto('populations')
    .values({ population: '{"version":2}', ...learnt })
    .execute();
  expect(await worker.look('anna')).toMatchObject({ patterns_detected: 2 });
});

test('habits are found for nine of ten users as likely as they are, and noise predicts nothing', async () => {
  const habits = Array.from({ length: 40 }, (_, seed) => plantHabits(seed + 100, days));
  for (const [index, { events }] of habits.entries()) await worker.plant(`habit-${index}`, events);
  for (let seed = 0; seed < 50; seed += 1) {
    const noise = makeNoise(seed, days, {
      eventsADay: 3 + (seed % 12),
      activities: 4 + (seed % 5),
      from: 7,
      to: 22,
    });
    await worker.plant(`noise-${seed}`, noise);
  }
  worker.consume();
  expect(await worker.resultOf({})).toMatchObject({ success: true, active_users: 90 });
  const rows = await worker.predictions();
  const honest = habits.filter(({ dashboardShare, reportShare }, index) => {
    const stated = (pageKey: string) =>
      rows.find((row) => row.user_id === `habit-${index}` && row.page_key === pageKey)?.confidence ?? 0;
    return (
      Math.abs(stated('dashboard') - dashboardShare) <= 0.1 && Math.abs(stated('report') - reportShare) <= 0.1
    );
  });
  expect(honest.length).toBeGreaterThanOrEqual(36);
  const fooled = new Set(rows.map(({ user_id }) => user_id).filter((user) => user.startsWith('noise-')));
  expect(fooled.size).toBeLessThanOrEqual(1);
});
