import { createHash } from 'node:crypto';
import type { ExpressionBuilder, Kysely, Transaction } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { acceptUnique, newRow, type AcceptedJob, type NewJob } from './accept-jobs.ts';

export interface IdempotencyKey {
  /** Callers never see each other's keys. */
  scope: string;
  key: string;
  /**
   * How long the first request may take to be answered, in milliseconds; 0 for one that is answered at once.
   */
  answerWithinMs: number;
}

export type IdempotentAccept =
  /** Nobody used the key before: the job is accepted. */
  | { kind: 'first'; job: AcceptedJob }
  /** The same request came before, and was answered with this status. */
  | { kind: 'replay'; jobId: string; answerStatus: number }
  /** The same request came before and is still being answered. */
  | { kind: 'in-progress' }
  /** The key was used with another payload. */
  | { kind: 'mismatch' };

const keptMs = 24 * 60 * 60_000;
const acceptedStatus = 202;

/**
 * Accepts a job once per key. The key's row and the job's are one transaction: of many requests at once, one
 * inserts, the others wait for its commit and read what it wrote.
 */
export async function acceptIdempotently(
  db: Kysely<Tables>,
  job: NewJob,
  { scope, key, answerWithinMs }: IdempotencyKey,
): Promise<IdempotentAccept> {
  const now = new Date();
  const row = newRow(job, now);
  const bodyHash = createHash('sha256').update(job.payload).digest('hex');
  const claim = {
    body_hash: bodyHash,
    job_id: row.id,
    answer_status: answerWithinMs === 0 ? acceptedStatus : null,
    answer_due_at: new Date(now.getTime() + answerWithinMs),
    expires_at: new Date(now.getTime() + keptMs),
  };

  /** The key is ours. The work itself may have been sent before, without the key: then its job is the answer. */
  async function acceptFirst(transaction: Transaction<Tables>): Promise<IdempotentAccept> {
    const accepted = await acceptUnique(transaction, job, row);
    if (!accepted.created) {
      await transaction
        .updateTable('idempotency_keys')
        .set({ job_id: accepted.id })
        .where(keyIs(scope, job.queue, key))
        .execute();
    }
    return { kind: 'first', job: accepted };
  }

  return db.transaction().execute(async (transaction): Promise<IdempotentAccept> => {
    const inserted = await transaction
      .insertInto('idempotency_keys')
      .ignore()
      .values({ scope, queue: job.queue, idempotency_key: key, ...claim })
      .executeTakeFirst();
    if (inserted.numInsertedOrUpdatedRows === 1n) return acceptFirst(transaction);
    // The transaction's first read: it sees what the request that was faster has committed.
    const known = await transaction
      .selectFrom('idempotency_keys')
      .selectAll()
      .where(keyIs(scope, job.queue, key))
      .executeTakeFirstOrThrow();
    if (known.expires_at <= now) {
      const taken = await transaction
        .updateTable('idempotency_keys')
        .set(claim)
        .where(keyIs(scope, job.queue, key))
        .where('expires_at', '<=', now)
        .executeTakeFirst();
      if (taken.numUpdatedRows === 0n) return { kind: 'in-progress' };
      return acceptFirst(transaction);
    }
    if (known.body_hash !== bodyHash) return { kind: 'mismatch' };
    if (known.answer_status === null && known.answer_due_at > now) return { kind: 'in-progress' };
    return { kind: 'replay', jobId: known.job_id, answerStatus: known.answer_status ?? acceptedStatus };
  });
}

/** Keeps how the first request was answered, so that the same one is answered the same way again. */
export async function recordAnswer(
  db: Kysely<Tables>,
  { scope, queue, key }: { scope: string; queue: string; key: string },
  answerStatus: number,
): Promise<void> {
  await db
    .updateTable('idempotency_keys')
    .set({ answer_status: answerStatus })
    .where(keyIs(scope, queue, key))
    .execute();
}

function keyIs(scope: string, queue: string, key: string) {
  return (row: ExpressionBuilder<Tables, 'idempotency_keys'>) =>
    row.and({ scope, queue, idempotency_key: key });
}
