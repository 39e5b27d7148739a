import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import type { ChildOutcome } from '../../../shared/ledger/fan-out.ts';
import { openLedger, type Ledger } from '../../../shared/ledger/open-ledger.ts';
import { checkAgainAt } from '../../../shared/ledger/relay-queries.ts';
import { beginFinishStep } from '../../../shared/ledger/settle-jobs.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';

const failure = { kind: 'permanent', code: 'BROKEN', message: 'broken' } as const;
const job = { queue: 'summing', payload: '{}', priority: 0 };
const inAnHour = () => new Date(Date.now() + 3_600_000);
const anHourAgo = () => new Date(Date.now() - 3_600_000);

let testDatabase: TestDatabase;
let database: Database;
let ledger: Ledger;
let parent: { id: string; generation: number };
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase(testDatabase.settings);
  ledger = openLedger(database.db, 'test');
  parent = { id: (await ledger.accept(job)).id, generation: 1 };
});
afterEach(async () => {
  await ledger[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

async function acceptChildren(count: number): Promise<string[]> {
  const children = Array.from({ length: count }, (_, index) => ({
    ...job,
    payload: `${index}`,
    parentId: parent.id,
  }));
  const accepted = await database.db
    .transaction()
    .execute((transaction) => ledger.acceptAllWithin(transaction, children));
  return accepted.map(({ id }) => id);
}

function complete(id: string, result: unknown) {
  const outcome = { state: 'completed', result: JSON.stringify(result) } as const;
  return ledger.settle({ id, generation: 1, parentId: parent.id, attempts: 1, outcome });
}

function fail(id: string) {
  const outcome = { state: 'failed', failure } as const;
  return ledger.settle({ id, generation: 1, parentId: parent.id, attempts: 3, outcome });
}

function readRow(id: string) {
  return database.db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

describe('how long a parent waits', () => {
  test('until its last child is settled, whether or not a time was set', async () => {
    const [first = '', second = ''] = await acceptChildren(2);
    const until = inAnHour();
    expect(await ledger.fanOut(parent, [], { until })).toEqual({ children: [], finishNow: false });
    expect(await complete(first, 1)).toEqual({ won: true, finishedParentId: null });
    expect(await readRow(parent.id)).toMatchObject({ phase: 'children', children_until: until });
    expect(await complete(second, 2)).toEqual({ won: true, finishedParentId: parent.id });
    expect(await readRow(parent.id)).toMatchObject({ phase: 'finish', state: 'accepted' });
  });

  test('without any child not at all', async () => {
    expect(await ledger.fanOut(parent, [], { until: inAnHour() })).toEqual({ children: [], finishNow: true });
  });

  test('not longer than it said, though children are open; one caller moves it on', async () => {
    const [child = ''] = await acceptChildren(1);
    await ledger.fanOut(parent, [], { until: inAnHour() });
    expect(await beginFinishStep(database.db, parent.id)).toBe(false);
    await database.db
      .updateTable('jobs')
      .set({ children_until: anHourAgo() })
      .where('id', '=', parent.id)
      .execute();
    const winners = await Promise.all(
      Array.from({ length: 10 }, () => beginFinishStep(database.db, parent.id)),
    );
    expect(winners.filter(Boolean)).toHaveLength(1);
    expect(await complete(child, 1)).toEqual({ won: true, finishedParentId: null });
  });

  test('not at all when the time is over as it fans out, though it names children of its own', async () => {
    const { children, finishNow } = await ledger.fanOut(parent, [job, job], { until: anHourAgo() });
    expect(children.map(({ child_position }) => child_position)).toEqual([0, 1]);
    expect(finishNow).toBe(true);
  });

  test('from the start again when an operator opens it again', async () => {
    await acceptChildren(1);
    await ledger.fanOut(parent, [], { until: anHourAgo(), interim: { users: 7 } });
    const outcome = { state: 'failed', failure } as const;
    await ledger.settle({ ...parent, parentId: null, attempts: 3, outcome });
    expect(await ledger.read(parent.id)).toMatchObject({ state: 'failed', interim: { users: 7 } });
    expect(await ledger.reopen(parent.id)).toBe(true);
    expect(await readRow(parent.id)).toMatchObject({
      phase: 'start',
      generation: 2,
      children_until: null,
      interim: null,
    });
    // What the first run still has under way does not touch the second.
    await ledger.fanOut(parent, [], { until: anHourAgo(), interim: 'late' });
    expect(await readRow(parent.id)).toMatchObject({ phase: 'start', children_until: null, interim: null });
  });
});

describe('when the relay looks at a parent that waits', () => {
  test('no later than its time is over, at the fan-out and at every look after it', async () => {
    await acceptChildren(1);
    const until = inAnHour();
    const later = new Date(until.getTime() + 1);
    await checkAgainAt(database.db, [parent.id], later);
    await ledger.fanOut(parent, [], { until });
    expect(await readRow(parent.id)).toMatchObject({ check_at: until });
    await checkAgainAt(database.db, [parent.id], later);
    expect(await readRow(parent.id)).toMatchObject({ check_at: until });
    const sooner = new Date(until.getTime() - 1);
    await checkAgainAt(database.db, [parent.id], sooner);
    expect(await readRow(parent.id)).toMatchObject({ check_at: sooner });
  });

  test('as usual when no time was set, or when its finish step has begun', async () => {
    const [child = ''] = await acceptChildren(1);
    const { check_at: usual } = await readRow(parent.id);
    await ledger.fanOut(parent, []);
    expect(await readRow(parent.id)).toMatchObject({ check_at: usual });
    const later = inAnHour();
    await checkAgainAt(database.db, [parent.id], later);
    expect(await readRow(parent.id)).toMatchObject({ check_at: later });

    const other = { id: (await ledger.accept(job)).id, generation: 1 };
    await ledger.fanOut(other, [], { until: anHourAgo() });
    await checkAgainAt(database.db, [other.id, child], later);
    expect(await readRow(other.id)).toMatchObject({ phase: 'finish', check_at: later });
    expect(await readRow(child)).toMatchObject({ check_at: later });
  });
});

describe('the outcomes of children', () => {
  async function outcomes(): Promise<ChildOutcome[]> {
    const all: ChildOutcome[] = [];
    for await (const outcome of ledger.childOutcomes(parent.id)) all.push(outcome);
    return all;
  }

  test('every child once, in the order of acceptance, in whatever state it is', async () => {
    const ids = await acceptChildren(1_250);
    await acceptChildrenOfAnother();
    await Promise.all(
      ids.map(async (id, index) => {
        if (index % 4 === 0) await complete(id, { index });
        if (index % 4 === 1) await fail(id);
        if (index % 400 === 2) await ledger.cancel(id);
      }),
    );
    const cancelled = { kind: 'cancelled', code: 'CANCELLED', message: 'The job was cancelled' };
    expect(await outcomes()).toEqual(
      ids.map((_id, index): ChildOutcome => {
        if (index % 4 === 0) return { position: null, state: 'completed', result: { index }, failure: null };
        if (index % 4 === 1) return { position: null, state: 'failed', result: null, failure };
        return index % 400 === 2
          ? { position: null, state: 'cancelled', result: null, failure: { ...cancelled, kind: 'cancelled' } }
          : { position: null, state: 'open', result: null, failure: null };
      }),
    );
  });

  async function acceptChildrenOfAnother(): Promise<void> {
    const other = { ...job, parentId: (await ledger.accept(job)).id };
    await database.db
      .transaction()
      .execute((transaction) => ledger.acceptAllWithin(transaction, [other, other]));
  }

  test('one that is settled while they are read is seen once', async () => {
    const ids = await acceptChildren(1_201);
    const seen: unknown[] = [];
    for await (const { state, result } of ledger.childOutcomes(parent.id)) {
      if (seen.length === 0) {
        await complete(ids[0] ?? '', 'behind');
        await complete(ids[1_200] ?? '', 'ahead');
      }
      seen.push(state === 'open' ? state : result);
    }
    expect(seen).toEqual([...Array.from({ length: 1_200 }, () => 'open'), 'ahead']);
  });
});
