import type { Kysely } from 'kysely';
import type { Tables } from '../../shared/database/tables.ts';

/** A row of `generation_queue` whose window has ended and that nobody has scored. */
export interface DuePrediction {
  id: number;
  userId: string;
  pageKey: string;
  /** JSON, perhaps of another system. */
  pattern: string;
  confidence: number;
  windowStart: Date;
  windowEnd: Date;
  /** The job that made the page. */
  jobId: string | null;
}

const pageSize = 200;

/** Goes through the predictions whose window has ended, the earliest first, a page at a time. */
export async function* readDuePredictions(db: Kysely<Tables>, now: Date): AsyncGenerator<DuePrediction[]> {
  let after: Pick<DuePrediction, 'id' | 'windowEnd'> = { id: 0, windowEnd: new Date(0) };
  for (;;) {
    const page = await db
      .selectFrom('generation_queue')
      .select([
        'id',
        'user_id as userId',
        'page_key as pageKey',
        'pattern',
        'confidence',
        'window_start as windowStart',
        'window_end as windowEnd',
        'job_id as jobId',
      ])
      .where('scored_at', 'is', null)
      .where('window_end', '>=', after.windowEnd)
      .where('window_end', '<=', now)
      .where(({ and, eb, or }) =>
        or([
          eb('window_end', '>', after.windowEnd),
          and([eb('window_end', '=', after.windowEnd), eb('id', '>', after.id)]),
        ]),
      )
      .orderBy('window_end')
      .orderBy('id')
      .limit(pageSize)
      .execute();
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (!last || page.length < pageSize) return;
    after = last;
  }
}

/** Whether the user is known to have visited the page: in the window, or by what was said of this very prediction. */
export async function wasVisited(
  db: Kysely<Tables>,
  { userId, pageKey, windowStart, windowEnd, jobId }: DuePrediction,
): Promise<boolean> {
  const visit = await db
    .selectFrom('outcomes')
    .select('id')
    .where('subject', '=', userId)
    .where('kind', '=', 'page_visited')
    .where('happened', '=', 1)
    .where(({ and, eb, or }) =>
      or([
        and([
          eb('page_key', '=', pageKey),
          eb('occurred_at', '>=', windowStart),
          eb('occurred_at', '<', windowEnd),
        ]),
        ...(jobId === null ? [] : [eb('job_id', '=', jobId)]),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return visit !== undefined;
}

/**
 * Writes down what became of a prediction, once. Answers whether this call did.
 *
 * @param cameTrue undefined when it cannot be told
 */
export async function recordScore(
  db: Kysely<Tables>,
  { id, cameTrue, now }: { id: number; cameTrue: boolean | undefined; now: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('generation_queue')
    .set({ came_true: cameTrue === undefined ? null : Number(cameTrue), scored_at: now })
    .where('id', '=', id)
    .where('scored_at', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}
