import type { Insertable } from 'kysely';
import type { GenerationQueueTable } from '../../../shared/database/generation-queue-table.ts';
import { dayMs } from '../../../shared/patterns/local-day.ts';
import { atNine, dashboard, found, openLookWorker, tomorrowAtNine } from '../../support/open-look-worker.ts';
import { wednesdayNoonMs, type PatternWorker } from '../../support/open-pattern-worker.ts';

let worker: PatternWorker;
beforeEach(async () => {
  worker = await openLookWorker();
});
afterEach(() => worker[Symbol.asyncDispose]());

const db = () => worker.fleet.database.db;

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
