import { z } from 'zod';
import type { Schedule } from '../../../shared/contracts/all-schedules.ts';
import { defineQueue } from '../../../shared/contracts/define-queue.ts';
import { lastTick, type LastTick } from '../../../shared/ledger/last-tick.ts';
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

const everyFiveMinutes: Schedule = {
  name: 'every-five-minutes',
  cron: '*/5 * * * *',
  timezone: 'UTC',
  contract: ticking,
  payload: {},
  catchUpMs: 60 * 60_000,
  skipWhileOpen: false,
};

/** With a clock that the test moves. */
function startCron(
  clock: { now: Date },
  schedule: Partial<Schedule> = {},
  newestTick = (name: string) => lastTick(fleet.database.db, name),
) {
  return openCron({
    schedules: [{ ...everyFiveMinutes, ...schedule }],
    enqueue: fleet.enqueue,
    lastTick: newestTick,
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

describe('a schedule that leaves ticks out while one is open', () => {
  const at = (minutes: string) => new Date(`2026-03-01T10:${minutes}Z`);
  const tick = (minute: string) => `every-five-minutes@2026-03-01T10:${minute}:00.000Z`;

  async function settle(uniqueKey: string): Promise<void> {
    const { id } = await fleet.database.db
      .selectFrom('jobs')
      .select('id')
      .where('unique_key', '=', uniqueKey)
      .executeTakeFirstOrThrow();
    const outcome = { state: 'completed', result: '{}' } as const;
    await fleet.ledger.settle({ id, generation: 1, parentId: null, attempts: 1, outcome });
  }

  const leftOut = () => fleet.logLines.flatMap((line) => /"tick":"([^"]+)".*left out/.exec(line)?.[1] ?? []);

  test('accepts the next one once it is settled, and never those that were left out', async () => {
    const clock = { now: at('01:00') };
    await using _cron = startCron(clock, { skipWhileOpen: true });
    clock.now = at('05:01');
    await until(async () => (await ticks()).length === 1);
    clock.now = at('10:01');
    await until(() => leftOut().length === 1);
    clock.now = at('15:01');
    await until(() => leftOut().length === 2);
    await settle(tick('05'));
    clock.now = at('20:01');
    await until(async () => (await ticks()).length === 2);
    expect(await ticks()).toEqual([tick('05'), tick('20')]);
    expect(leftOut()).toEqual([tick('10'), tick('15')]);
  });

  test('after an outage makes up for one tick, not for all of them at once', async () => {
    const clock = { now: at('01:00') };
    const first = startCron(clock, { skipWhileOpen: true });
    clock.now = at('05:01');
    await until(async () => (await ticks()).length === 1);
    await first[Symbol.asyncDispose]();
    await settle(tick('05'));
    clock.now = at('20:01');
    await using _second = startCron(clock, { skipWhileOpen: true });
    await until(() => leftOut().length === 2);
    expect(await ticks()).toEqual([tick('05'), tick('10')]);
    expect(leftOut()).toEqual([tick('15'), tick('20')]);
  });

  test('leaves alone what another cron process has passed meanwhile', async () => {
    const clock = { now: at('06:00') };
    let newest: LastTick = { dueAt: at('05:00'), open: false };
    let looks = 0;
    function lookAtNewest() {
      looks += 1;
      return Promise.resolve(newest);
    }
    await using _late = startCron(clock, { skipWhileOpen: true }, lookAtNewest);
    await until(() => looks === 1);
    // The other one has left 10:10 out.
    newest = { dueAt: at('15:00'), open: true };
    clock.now = at('20:01');
    await until(() => leftOut().length === 1);
    expect(leftOut()).toEqual([tick('20')]);
    expect(await ticks()).toEqual([]);
  });
});
