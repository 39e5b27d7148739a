import { z } from 'zod';
import { defineQueue } from '../../../shared/contracts/define-queue.ts';
import { lastTick } from '../../../shared/ledger/last-tick.ts';
import { openCron } from '../../../producers/cron/open-cron.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { until } from '../../support/until.ts';

const ticking = defineQueue({
  name: 'ticking',
  payload: z.object({}),
  result: z.object({}),
  attempts: 1,
  deadlineMs: 60_000,
  lane: 'bulk',
});

let fleet: TestFleet;
beforeEach(async () => {
  fleet = await openTestFleet([ticking]);
});
afterEach(() => fleet[Symbol.asyncDispose]());

/** A clock that the test moves. */
function startCron(clock: { now: Date }) {
  return openCron({
    schedules: [
      {
        name: 'every-five-minutes',
        cron: '*/5 * * * *',
        timezone: 'UTC',
        contract: ticking,
        payload: {},
        catchUpMs: 60 * 60_000,
      },
    ],
    enqueue: fleet.enqueue,
    lastTick: (schedule) => lastTick(fleet.database.db, schedule),
    log: fleet.log,
    now: () => clock.now,
  });
}

async function ticks(): Promise<string[]> {
  const rows = await fleet.database.db
    .selectFrom('jobs')
    .select('unique_key')
    .orderBy('unique_key')
    .execute();
  return rows.map((row) => String(row.unique_key));
}

test('several cron processes accept each tick once, and a later one makes up for what was missed', async () => {
  const clock = { now: new Date('2026-03-01T10:01:00Z') };
  const first = startCron(clock);
  const second = startCron(clock);
  clock.now = new Date('2026-03-01T10:11:00Z');
  await until(async () => (await ticks()).length === 2);
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();

  // Nobody runs for half an hour.
  clock.now = new Date('2026-03-01T10:40:30Z');
  const third = startCron(clock);
  await until(async () => (await ticks()).length === 8);
  await third[Symbol.asyncDispose]();
  expect(await ticks()).toEqual(
    ['05', '10', '15', '20', '25', '30', '35', '40'].map(
      (minute) => `every-five-minutes@2026-03-01T10:${minute}:00.000Z`,
    ),
  );
});

test('a new schedule begins with its next tick, and an old one makes up only as far as it says', async () => {
  const clock = { now: new Date('2026-03-01T10:01:00Z') };
  const first = startCron(clock);
  clock.now = new Date('2026-03-01T10:06:00Z');
  await until(async () => (await ticks()).length === 1);
  await first[Symbol.asyncDispose]();
  clock.now = new Date('2026-03-04T10:06:00Z');
  const second = startCron(clock);
  await until(async () => (await ticks()).length === 13);
  await second[Symbol.asyncDispose]();
  expect((await ticks())[1]).toBe('every-five-minutes@2026-03-04T09:10:00.000Z');
});
