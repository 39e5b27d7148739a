import { v7 as uuid } from 'uuid';
import type { BrowseFilter } from '../../../shared/ledger/browse-jobs.ts';
import type { JobRowState } from '../../../shared/database/jobs-table.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const states: readonly JobRowState[] = ['completed', 'completed', 'failed', 'accepted'];
const limits = { limit: 10, searchForMs: 60_000 };

let fleet: TestFleet;
/** Newest first, as the ledger answers them. */
let ids: string[];

beforeAll(async () => {
  fleet = await openTestFleet([]);
  const rows = Array.from({ length: 1_000 }, (_, index) => {
    const at = new Date(start + index * 1_000);
    return {
      id: uuid({ msecs: at.getTime() }),
      queue: index % 10 === 0 ? 'rare' : 'usual',
      state: states[index % 4] ?? 'completed',
      payload: JSON.stringify({
        contact: `contact-${index}.`,
        text: index === 7 ? 'a "quoted" 100%_\\ Ü' : '',
      }),
      result: index % 2 === 0 ? JSON.stringify({ outcome: `outcome-${index}.` }) : null,
      error: index === 2 ? JSON.stringify({ kind: 'transient', code: 'GONE', message: 'm' }) : null,
      parent_id: index >= 990 ? '018f0000-0000-7000-8000-000000000000' : null,
      priority: 0,
      created_at: at,
      due_at: at,
    };
  });
  await fleet.database.db.insertInto('jobs').values(rows).execute();
  ids = rows.map(({ id }) => id).toReversed();
});
afterAll(() => fleet[Symbol.asyncDispose]());

/** Every page, one after the other. */
async function allPages(filter: Partial<BrowseFilter>): Promise<string[]> {
  const seen: string[] = [];
  let before: string | undefined;
  do {
    const page = await fleet.ledger.browse({ ...limits, ...filter, before });
    seen.push(...page.jobs.map(({ id }) => id));
    before = page.next;
  } while (before !== undefined);
  return seen;
}

const idsWhere = (chosen: (index: number) => boolean) =>
  ids.filter((_id, position) => chosen(999 - position));

test('the pages together are the whole list, newest first', async () => {
  expect(await allPages({ limit: 300 })).toEqual(ids);
});

test.each([
  ['queue', { queue: 'rare' }, (index: number) => index % 10 === 0],
  ['state', { state: 'failed' }, (index: number) => index % 4 === 2],
  ['queue and state', { queue: 'rare', state: 'accepted' }, () => false],
  ['parent', { parentId: '018f0000-0000-7000-8000-000000000000' }, (index: number) => index >= 990],
  ['search', { search: 'contact-99' }, (index: number) => index === 99 || index >= 990],
  ['search and queue', { search: 'contact-99', queue: 'rare' }, (index: number) => index === 990],
  ['time', { since: new Date(start + 900_000) }, (index: number) => index >= 900],
  [
    'search and time',
    { search: 'contact-99', since: new Date(start + 995_000) },
    (index: number) => index >= 995,
  ],
] as const)('filtered by %s', async (_what, filter, chosen) => {
  expect(await allPages({ ...filter, limit: 3 })).toEqual(idsWhere(chosen));
});

test.each([
  ['the result', 'outcome-4.', 4],
  ['the error', 'GONE', 2],
  ['quotes', 'a "quoted"', 7],
  ['signs that mean something to LIKE', '100%_\\', 7],
  ['letters beyond ASCII', 'Ü', 7],
])('a search finds %s', async (_what, search, index) => {
  const { jobs, next, searched } = await fleet.ledger.browse({ ...limits, search });
  expect(jobs.map(({ id }) => id)).toEqual([ids[999 - index]]);
  expect(next).toBeUndefined();
  expect(searched).toEqual({ jobs: 1_000, backTo: undefined });
});

test('a search finds a job by its id', async () => {
  const id = ids[500] ?? '';
  expect(await allPages({ search: id })).toEqual([id]);
});

test('a search minds upper and lower case, and no wildcard', async () => {
  for (const search of ['Contact-5', 'contact_5', 'contact-%', 'ü'])
    expect(await allPages({ search })).toEqual([]);
});

test('a search whose time is over says how far it came, and goes on from there', async () => {
  const hurried = { ...limits, search: 'contact-3.', searchForMs: 0 };
  const first = await fleet.ledger.browse(hurried);
  expect(first.jobs).toEqual([]);
  const { jobs = 0, backTo } = first.searched ?? {};
  expect(jobs).toBeGreaterThan(0);
  expect(backTo).toEqual(new Date(start + (1_000 - jobs) * 1_000));
  expect(first.next).toBe(ids[jobs - 1]);
  expect(await allPages({ search: 'contact-3.', searchForMs: 0 })).toEqual(idsWhere((index) => index === 3));
});

test('payloads and results stay where they are', async () => {
  const { jobs } = await fleet.ledger.browse({ ...limits, limit: 1 });
  expect(jobs[0]).toMatchObject({ id: ids[0], queue: 'usual', state: 'accepted', error: null });
  expect(jobs[0]).not.toHaveProperty('payload');
});

test('an empty ledger', async () => {
  await using empty = await openTestFleet([]);
  expect(await empty.ledger.browse(limits)).toEqual({ jobs: [], next: undefined });
  expect((await empty.ledger.browse({ ...limits, search: 'x' })).next).toBeUndefined();
});
