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

export type ClaimedBefore = Exclude<IdempotentAccept, { kind: 'first' }>;

export interface KeyClaim extends IdempotencyKey {
  queue: string;
  /** The job that is accepted if the key is new. */
  jobId: string;
  /** SHA-256 of what was sent, in hexadecimal. */
  bodyHash: string;
  now: Date;
}

/**
 * Claims a key as part of the transaction that accepts its job: of many requests at once, one inserts, the others wait
 * for its commit and read what it wrote. Undefined: the key is ours.
 */
export async function claimKey(
  transaction: Transaction<Tables>,
  { scope, key, answerWithinMs, queue, jobId, bodyHash, now }: KeyClaim,
): Promise<ClaimedBefore | undefined> {
  const claim = {
    body_hash: bodyHash,
    job_id: jobId,
    answer_status: answerWithinMs === 0 ? acceptedStatus : null,
    answer_due_at: new Date(now.getTime() + answerWithinMs),
    expires_at: new Date(now.getTime() + keptMs),
  };
  const inserted = await transaction
    .insertInto('idempotency_keys')
    .ignore()
    .values({ scope, queue, idempotency_key: key, ...claim })
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows === 1n) return undefined;
  // The transaction's first read: it sees what the request that was faster has committed.
  const known = await transaction
    .selectFrom('idempotency_keys')
    .selectAll()
    .where(keyIs(scope, queue, key))
    .executeTakeFirstOrThrow();
  if (known.expires_at <= now) {
    const taken = await transaction
      .updateTable('idempotency_keys')
      .set(claim)
      .where(keyIs(scope, queue, key))
      .where('expires_at', '<=', now)
      .executeTakeFirst();
    return taken.numUpdatedRows === 0n ? { kind: 'in-progress' } : undefined;
  }
  if (known.body_hash !== bodyHash) return { kind: 'mismatch' };
  if (known.answer_status === null && known.answer_due_at > now) return { kind: 'in-progress' };
  return { kind: 'replay', jobId: known.job_id, answerStatus: known.answer_status ?? acceptedStatus };
}

/** Accepts a job once per key. The key's row and the job's are one transaction. */
export async function acceptIdempotently(
  db: Kysely<Tables>,
  job: NewJob,
  key: IdempotencyKey,
): Promise<IdempotentAccept> {
  const now = new Date();
  const row = newRow(job, now);
  const bodyHash = createHash('sha256').update(job.payload).digest('hex');
  return db.transaction().execute(async (transaction): Promise<IdempotentAccept> => {
    const claim = { ...key, queue: job.queue, jobId: row.id, bodyHash, now };
    const before = await claimKey(transaction, claim);
    if (before) return before;
    // The work itself may have been sent before, without the key: then its job is the answer.
    const accepted = await acceptUnique(transaction, job, row);
    if (!accepted.created) {
      await transaction
        .updateTable('idempotency_keys')
        .set({ job_id: accepted.id })
        .where(keyIs(key.scope, job.queue, key.key))
        .execute();
    }
    return { kind: 'first', job: accepted };
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
