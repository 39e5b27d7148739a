import type { Kysely, Transaction } from 'kysely';
import { contentGeneration } from '../../shared/contracts/content-generation.ts';
import { despiteContention } from '../../shared/database/despite-contention.ts';
import { awaitedStatuses } from '../../shared/database/generation-queue-table.ts';
import type { Tables } from '../../shared/database/tables.ts';
import type { AcceptedJob } from '../../shared/ledger/accept-jobs.ts';
import type { Occurrence } from '../../shared/patterns/next-occurrence.ts';
import type { Pattern } from '../../shared/patterns/pattern.ts';
import type { Enqueue } from '../../shared/queue/enqueue.ts';
import { isPageEnough } from './is-page-enough.ts';

/** That a user will need a page in a window of time. */
export interface Prediction {
  userId: string;
  pageKey: string;
  window: Occurrence;
  pattern: Pattern;
  confidence: number;
  claimedConfidence: number | null;
  reason: string | null;
  /** `together-<model>` or `baseline-<version>`. */
  proposedBy: string;
  hits: number;
  occasions: number;
  timezone: string;
  /** The job that found it. */
  jobId: string;
}

/**
 * Writes the prediction into `generation_queue` and accepts the job that makes its page, both or neither. Answers
 * false, and does nothing, where the user has a page that serves, a page is about to be made, or a prediction of the
 * same page was made for some of the same time; and where the user was forgotten meanwhile.
 */
export async function queuePrediction(
  { db, enqueue }: { db: Kysely<Tables>; enqueue: Pick<Enqueue, 'enqueueWithin' | 'dispatch'> },
  prediction: Prediction,
  nowMs: number,
): Promise<boolean> {
  const job = await despiteContention(() =>
    db.transaction().execute((transaction) => acceptWithRow(transaction, prediction, { enqueue, nowMs })),
  );
  if (!job) return false;
  await enqueue.dispatch(job);
  return true;
}

/** The job of the new row, still to be dispatched; undefined where nothing is to be done. */
async function acceptWithRow(
  transaction: Transaction<Tables>,
  prediction: Prediction,
  { enqueue, nowMs }: { enqueue: Pick<Enqueue, 'enqueueWithin'>; nowMs: number },
): Promise<AcceptedJob | undefined> {
  const { userId, pageKey, window } = prediction;
  const start = new Date(window.startMs);
  const end = new Date(window.endMs);
  // Looks at one user come one by one here. Whoever forgets a user deletes the log, then this row, then the rest.
  const look = await transaction
    .selectFrom('activity_looks')
    .select('user_id')
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst();
  if (!look) return undefined;

  const page = await transaction
    .selectFrom('page_cache')
    .select(['expires_at as expiresAt', 'window_start as windowStart'])
    .where('user_id', '=', userId)
    .where('page_key', '=', pageKey)
    .executeTakeFirst();
  if (isPageEnough(page, window, nowMs)) return undefined;

  const other = await transaction
    .selectFrom('generation_queue')
    .select('id')
    .where('user_id', '=', userId)
    .where('page_key', '=', pageKey)
    .where(({ and, eb, or }) =>
      or([
        eb('status', 'in', awaitedStatuses),
        and([eb('window_start', '<', end), eb('window_end', '>', start)]),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  if (other) return undefined;

  const inserted = await transaction
    .insertInto('generation_queue')
    // Other systems may write rows too, at this moment.
    .ignore()
    .values({
      user_id: userId,
      page_key: pageKey,
      pattern: JSON.stringify(prediction.pattern),
      confidence: prediction.confidence,
      claimed_confidence: prediction.claimedConfidence,
      reason: prediction.reason,
      proposed_by: prediction.proposedBy,
      hits: prediction.hits,
      occasions: prediction.occasions,
      timezone: prediction.timezone,
      window_start: start,
      window_end: end,
      detection_job_id: prediction.jobId,
      created_at: new Date(nowMs),
    })
    .executeTakeFirstOrThrow();
  if (inserted.insertId === undefined || inserted.numInsertedOrUpdatedRows === 0n) return undefined;
  const generationId = Number(inserted.insertId);
  const accepted = await enqueue.enqueueWithin(transaction, contentGeneration, {
    generation_id: generationId,
  });
  await transaction
    .updateTable('generation_queue')
    .set({ job_id: accepted.id })
    .where('id', '=', generationId)
    .execute();
  return accepted;
}

/** How many predictions a job has queued, in all of its runs. */
export async function countQueued(
  db: Kysely<Tables>,
  { userId, jobId }: Pick<Prediction, 'userId' | 'jobId'>,
): Promise<number> {
  const { count } = await db
    .selectFrom('generation_queue')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('user_id', '=', userId)
    .where('detection_job_id', '=', jobId)
    .executeTakeFirstOrThrow();
  return Number(count);
}
