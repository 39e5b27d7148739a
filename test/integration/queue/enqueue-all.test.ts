import { z } from 'zod';
import { defineQueue } from '../../../shared/contracts/define-queue.ts';
import type { AcceptedJob } from '../../../shared/ledger/accept-jobs.ts';
import { bulkPriority, PayloadError } from '../../../shared/queue/enqueue.ts';
import { openPrivateServers } from '../../support/open-private-servers.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { until } from '../../support/until.ts';

const echo = defineQueue({
  name: 'echo',
  payload: z.object({ number: z.number().default(0), text: z.string().optional() }),
  result: z.object({ number: z.number() }),
  attempts: 3,
  deadlineMs: 60_000,
  lane: 'bulk',
  identityOf: ({ number }) => number,
});
type Payload = z.output<typeof echo.payload>;

function acceptAll(fleet: TestFleet, payloads: readonly Payload[]): Promise<AcceptedJob[]> {
  return fleet.database.db
    .transaction()
    .execute((transaction) => fleet.enqueue.enqueueAllWithin(transaction, echo, payloads));
}

const numbered = (count: number) => Array.from({ length: count }, (_, number) => ({ number }));

test('many jobs are accepted in their order and done, each once', async () => {
  await using fleet = await openTestFleet([echo]);
  const seen: number[] = [];
  fleet.consume(echo, {
    start({ number }) {
      seen.push(number);
      return Promise.resolve({ number });
    },
  });
  const jobs = await acceptAll(fleet, numbered(1_201));
  expect(jobs.every(({ created }) => created)).toBe(true);
  const rows = await fleet.database.db
    .selectFrom('jobs')
    .select(['id', 'payload', 'priority', 'unique_key', 'parent_id'])
    .orderBy('id')
    .execute();
  expect(rows).toEqual(
    jobs.map(({ id }, number) => ({
      id,
      payload: JSON.stringify({ number }),
      priority: bulkPriority,
      unique_key: null,
      parent_id: null,
    })),
  );
  expect(await fleet.dispatcher.depth('echo')).toMatchObject({ waiting: 0, active: 0 });
  await fleet.enqueue.dispatchAll(jobs);
  const ids = jobs.map(({ id }) => id);
  await until(async () => (await fleet.ledger.settledAmong(ids)).length === ids.length);
  expect(seen.toSorted((a, b) => a - b)).toEqual(numbered(1_201).map(({ number }) => number));
});

test('none of them is accepted when the transaction fails, or when one payload does not fit', async () => {
  await using fleet = await openTestFleet([echo]);
  const { db } = fleet.database;
  const broken = db.transaction().execute(async (transaction) => {
    await fleet.enqueue.enqueueAllWithin(transaction, echo, numbered(3));
    throw new Error('something else failed');
  });
  await expect(broken).rejects.toThrow('something else failed');
  await expect(acceptAll(fleet, [{ number: 1 }, { number: Number.NaN }])).rejects.toThrow(PayloadError);
  expect(await db.selectFrom('jobs').select('id').execute()).toEqual([]);
  await fleet.enqueue.dispatchAll(await acceptAll(fleet, []));
});

test('payloads that are too large for one statement are accepted all the same', async () => {
  await using fleet = await openTestFleet([echo]);
  const text = 'é'.repeat(1024 * 1024);
  const jobs = await acceptAll(
    fleet,
    numbered(12).map(({ number }) => ({ number, text })),
  );
  const last = await fleet.ledger.read(jobs.at(-1)?.id ?? '');
  expect(last?.payload).toEqual({ number: 11, text });
});

test('what cannot be dispatched because Redis is away is left to the relay, which looks at once', async () => {
  await using servers = await openPrivateServers();
  const redis = await servers.startRedis();
  await using fleet = await openTestFleet([echo], { kind: 'url', url: redis.url });
  const jobs = await acceptAll(fleet, numbered(600));
  await redis.stop();
  await fleet.enqueue.dispatchAll(jobs);
  const now = new Date();
  const rows = await fleet.database.db.selectFrom('jobs').select('id').where('check_at', '<=', now).execute();
  expect(rows).toHaveLength(600);
  await redis.start();
  fleet.consume(echo, { start: ({ number }) => Promise.resolve({ number }) });
  fleet.startRelay();
  const ids = jobs.map(({ id }) => id);
  await until(async () => (await fleet.ledger.settledAmong(ids)).length === ids.length);
});
