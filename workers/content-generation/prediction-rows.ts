import type { Insertable, Kysely, Selectable, Transaction } from 'kysely';
import type { GeneratedPage } from '../../shared/contracts/content-generation.ts';
import { despiteContention } from '../../shared/database/despite-contention.ts';
import {
  awaitedStatuses,
  type GenerationQueueTable,
  type GenerationStatus,
} from '../../shared/database/generation-queue-table.ts';
import type { PageCacheTable } from '../../shared/database/page-cache-table.ts';
import type { Tables } from '../../shared/database/tables.ts';
import type { PageDocument } from '../../shared/pages/page-document.ts';
import { parsePattern } from '../../shared/patterns/parse-pattern.ts';
import type { Prediction } from './prediction.ts';

/** A page that is to be stored. */
export interface NewPage {
  page: PageDocument;
  modelUsed: string;
  degraded: boolean;
}

/** Rows of `generation_queue`, and the pages that are made of them. Every method throws StoreUnavailableError. */
export interface PredictionRows {
  /**
   * Begins a prediction, or answers what came of it before. A prediction whose window has passed is `expired` then.
   * `undefined`: there is no such row.
   */
  begin(id: number): Promise<{ prediction: Prediction } | { done: GeneratedPage } | undefined>;
  /**
   * Stores the page of a prediction and completes its row, both or neither. Another run may have been first: then its
   * page stays, and so does one of a later prediction. `undefined`: the row is gone, and no page was stored.
   */
  complete(prediction: Prediction, page: NewPage): Promise<GeneratedPage | undefined>;
  /** Says that no page will be made. A row that has come to its end meanwhile keeps it. */
  fail(id: number): Promise<void>;
}

export interface PredictionRowsOptions {
  db: Kysely<Tables>;
  /** A page is kept so long, and in any case until its window has ended. */
  pageTtlSeconds: number;
  now: () => number;
}

/** States in which a page may still be made. */
const unfinished: readonly GenerationStatus[] = [...awaitedStatuses, 'failed'];

export function createPredictionRows({ db, pageTtlSeconds, now }: PredictionRowsOptions): PredictionRows {
  async function finishedBefore(
    row: Selectable<GenerationQueueTable>,
    at: Kysely<Tables>,
  ): Promise<GeneratedPage | undefined> {
    if (row.status === 'completed') return resultOf(row, at);
    if (row.status !== 'expired' && row.window_end.getTime() > now()) return undefined;
    await setStatus(row.id, 'expired', unfinished, at);
    return { ...resultWithoutPage(row), status: 'expired' };
  }

  return {
    async begin(id) {
      const row = await db.selectFrom('generation_queue').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row) return undefined;
      const done = await finishedBefore(row, db);
      if (done) return { done };
      await setStatus(id, 'processing', ['pending', 'failed'], db);
      return { prediction: predictionOf(row) };
    },

    complete(prediction, page) {
      return despiteContention(() =>
        db.transaction().execute(async (transaction) => {
          const row = await transaction
            .selectFrom('generation_queue')
            .selectAll()
            .where('id', '=', prediction.id)
            .forUpdate()
            .executeTakeFirst();
          if (!row) return undefined;
          const done = await finishedBefore(row, transaction);
          if (done) return done;
          const createdAt = new Date(now());
          const keptUntilMs = Math.max(row.window_end.getTime(), now() + pageTtlSeconds * 1_000);
          await storePage(transaction, {
            user_id: row.user_id,
            page_key: row.page_key,
            content: JSON.stringify(page.page),
            expires_at: new Date(keptUntilMs),
            window_start: row.window_start,
            generation_id: row.id,
            model_used: page.modelUsed,
            degraded: Number(page.degraded),
            created_at: createdAt,
          });
          await setStatus(row.id, 'completed', unfinished, transaction);
          return await resultOf(row, transaction);
        }),
      );
    },

    async fail(id) {
      await setStatus(id, 'failed', awaitedStatuses, db);
    },
  };
}

/** What came of a completed prediction; its page may have made way for a later one. */
async function resultOf(row: Selectable<GenerationQueueTable>, db: Kysely<Tables>): Promise<GeneratedPage> {
  const page = await db
    .selectFrom('page_cache')
    .select(['model_used', 'degraded', 'expires_at'])
    .where('user_id', '=', row.user_id)
    .where('page_key', '=', row.page_key)
    .where('generation_id', '=', row.id)
    .executeTakeFirst();
  if (!page) return { ...resultWithoutPage(row), status: 'completed' };
  return {
    generation_id: row.id,
    page_key: row.page_key,
    status: 'completed',
    model_used: page.model_used,
    degraded: page.degraded === 1,
    expires_at: page.expires_at.toISOString(),
  };
}

function resultWithoutPage({ id, page_key }: Selectable<GenerationQueueTable>) {
  return { generation_id: id, page_key, model_used: null, degraded: false, expires_at: null };
}

function predictionOf(row: Selectable<GenerationQueueTable>): Prediction {
  return {
    id: row.id,
    userId: row.user_id,
    pageKey: row.page_key,
    pattern: parsePattern(row.pattern),
    reason: row.reason,
    timezone: row.timezone,
    windowStart: row.window_start,
    windowEnd: row.window_end,
  };
}

async function setStatus(
  id: number,
  status: GenerationStatus,
  from: readonly GenerationStatus[],
  db: Kysely<Tables>,
): Promise<void> {
  await db
    .updateTable('generation_queue')
    .set({ status })
    .where('id', '=', id)
    .where('status', 'in', from)
    .execute();
}

/** The newest prediction's page stays. */
async function storePage(
  transaction: Transaction<Tables>,
  row: Insertable<PageCacheTable> & { generation_id: number },
): Promise<void> {
  const { numInsertedOrUpdatedRows: inserted } = await transaction
    .insertInto('page_cache')
    .ignore()
    .values(row)
    .executeTakeFirstOrThrow();
  if (inserted === 1n) return;
  const { user_id: userId, page_key: pageKey, ...page } = row;
  await transaction
    .updateTable('page_cache')
    .set(page)
    .where('user_id', '=', userId)
    .where('page_key', '=', pageKey)
    .where(({ eb, or }) =>
      or([eb('generation_id', 'is', null), eb('generation_id', '<=', row.generation_id)]),
    )
    .execute();
}
