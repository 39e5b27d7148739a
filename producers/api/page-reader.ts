import { sql, type Kysely } from 'kysely';
import type { z } from 'zod';
import type { Tables } from '../../shared/database/tables.ts';
import { createUnlessLate } from '../../shared/outside-call/create-unless-late.ts';
import { copyKeptMs, pageCopyKey } from '../../shared/pages/page-copies.ts';
import { maximumPageBytes, pageDocumentSchema, type PageDocument } from '../../shared/pages/page-document.ts';
import type { RedisClient } from '../../shared/queue/connect-redis.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import {
  storedPageSchema,
  type PageSummary,
  type StoredPage,
} from '../../shared/api-contract/stored-page.ts';

/** Reads pages that are not expired. Every method throws StoreUnavailableError when MySQL is away. */
export interface PageReader {
  /** From the cache, where it may be a minute old, else from MySQL. */
  find(userId: string, pageKey: string): Promise<StoredPage | undefined>;
  /** A user's pages in the order of their keys. Pages of other systems that cannot be shown are left out. */
  list(
    userId: string,
    options: { limit: number; after: string | undefined },
  ): Promise<{ pages: PageSummary[]; nextCursor: string | null }>;
}

export interface PageReaderOptions {
  db: Kysely<Tables>;
  /** Where the caches are. Its being away or slow costs time, never a page. */
  redis: RedisClient;
  metrics: Pick<Metrics, 'cacheRequests'>;
  log: Logger;
}

/** Reading MySQL takes less. */
const redisTimeoutMs = 250;
const restAfterTimeoutMs = 5_000;
/** Other systems may indent theirs. */
const maximumContentBytes = 4 * maximumPageBytes;

export function createPageReader({ db, redis, metrics, log }: PageReaderOptions): PageReader {
  const unlessLate = createUnlessLate({ timeoutMs: redisTimeoutMs, restMs: restAfterTimeoutMs });

  function count(outcome: 'hit' | 'miss' | 'error' | 'write_error'): void {
    metrics.cacheRequests.inc({ cache: 'pages', outcome });
  }

  async function readCopy(key: string): Promise<StoredPage | undefined> {
    const text = await unlessLate(() => redis.get(key)).catch(() => undefined);
    // An empty one says that the page has just changed.
    const copy = text ? parseJson(storedPageSchema, text) : undefined;
    const isFresh = copy !== undefined && Date.parse(copy.expires_at) > Date.now();
    if (isFresh) count('hit');
    else count(text === undefined ? 'error' : 'miss');
    return isFresh ? copy : undefined;
  }

  async function keepCopy(key: string, page: StoredPage): Promise<void> {
    const keptMs = Math.min(copyKeptMs, Date.parse(page.expires_at) - Date.now());
    if (keptMs <= 0) return;
    try {
      // Only where there is none: what says that the page has changed since it was read must stay.
      const written = () => redis.set(key, JSON.stringify(page), 'PX', keptMs, 'NX').then(() => true);
      if (!(await unlessLate(written))) count('write_error');
    } catch {
      count('write_error');
    }
  }

  function readRow(row: PageRow): StoredPage | undefined {
    const document = row.content === null ? undefined : parseJson(pageDocumentSchema, row.content);
    if (!document) {
      log.warn({ generation_id: row.generation_id }, 'a row of page_cache holds no page: it is not served');
      return undefined;
    }
    return storedPage(row, document);
  }

  function freshRows(userId: string) {
    return db
      .selectFrom('page_cache')
      .select([
        'user_id',
        'page_key',
        'created_at',
        'expires_at',
        'generation_id',
        'model_used',
        'degraded',
        sql<string | null>`if(octet_length(content) <= ${maximumContentBytes}, content, null)`.as('content'),
      ])
      .where('user_id', '=', userId)
      .where('expires_at', '>', new Date());
  }

  return {
    async find(userId, pageKey) {
      const key = pageCopyKey(userId, pageKey);
      const copy = await readCopy(key);
      if (copy) return copy;
      const row = await freshRows(userId).where('page_key', '=', pageKey).executeTakeFirst();
      // For MySQL, texts that differ in spaces at their end are equal.
      if (!row || row.user_id !== userId || row.page_key !== pageKey) return undefined;
      const page = readRow(row);
      if (page) await keepCopy(key, page);
      return page;
    },

    async list(userId, { limit, after }) {
      const rows = await freshRows(userId)
        .$if(after !== undefined, (query) => query.where('page_key', '>', after ?? ''))
        .orderBy('page_key')
        .limit(limit)
        .execute();
      const pages = rows.flatMap((row) => {
        const page = row.user_id === userId ? readRow(row) : undefined;
        return page ? [summaryOf(page)] : [];
      });
      return { pages, nextCursor: rows.length === limit ? (rows.at(-1)?.page_key ?? null) : null };
    },
  };
}

interface PageRow {
  user_id: string;
  page_key: string;
  content: string | null;
  created_at: Date;
  expires_at: Date;
  generation_id: number | null;
  model_used: string | null;
  degraded: number;
}

function storedPage(row: PageRow, { title, blocks }: PageDocument): StoredPage {
  return {
    user_id: row.user_id,
    page_key: row.page_key,
    title,
    blocks,
    generated_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    model_used: row.model_used,
    degraded: row.degraded === 1,
  };
}

function summaryOf(page: StoredPage): PageSummary {
  const { page_key, title, generated_at, expires_at, model_used, degraded } = page;
  return { page_key, title, generated_at, expires_at, model_used, degraded };
}

function parseJson<Value>(schema: z.ZodType<Value>, text: string): Value | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
