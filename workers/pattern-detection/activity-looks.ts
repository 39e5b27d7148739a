import { sql, type Kysely, type Transaction } from 'kysely';
import type { ActiveUser } from '../../shared/activity/read-active-users.ts';
import { patternDetection } from '../../shared/contracts/pattern-detection.ts';
import { despiteContention } from '../../shared/database/despite-contention.ts';
import type { Tables } from '../../shared/database/tables.ts';
import type { AcceptedJob } from '../../shared/ledger/accept-jobs.ts';
import { bulkPriority, type Enqueue } from '../../shared/queue/enqueue.ts';

type LookedAt = Pick<ActiveUser, 'userId' | 'newestId'>;

/** No row of `activity_log` has this id, and no job has that one: the first look at a user comes after them. */
const noLook = { looked_to_id: 0, job_id: '' };

/**
 * Accepts one look, a child of the tick, at each of these users who did something since the last look and has no look
 * open. Done again for the same tick, or by two ticks at once, it accepts none twice.
 *
 * @param users in the order of their ids, so that two ticks do not block each other
 * @returns the jobs, which are committed and still to be dispatched
 */
export async function acceptLooks(
  { db, enqueue }: { db: Kysely<Tables>; enqueue: Pick<Enqueue, 'enqueueAllWithin'> },
  users: readonly LookedAt[],
  { tickId, now }: { tickId: string; now: Date },
): Promise<AcceptedJob[]> {
  // Without locks first: on most ticks, most users did nothing new.
  const due = await usersToLookAt(db, users);
  if (due.length === 0) return [];
  return despiteContention(() =>
    db.transaction().execute(async (transaction) => {
      await lockLooks(transaction, due, now);
      const present = await withoutForgotten(transaction, due);
      const stillDue = await usersToLookAt(transaction, present);
      if (stillDue.length === 0) return [];
      const jobs = await enqueue.enqueueAllWithin(
        transaction,
        patternDetection,
        stillDue.map(({ userId }) => ({ user_id: userId })),
        { parentId: tickId, priority: bulkPriority },
      );
      await keepLooks(
        transaction,
        stillDue.flatMap((user, position) => {
          const job = jobs[position];
          return job ? [{ ...user, jobId: job.id }] : [];
        }),
        now,
      );
      return jobs;
    }),
  );
}

/**
 * Makes sure that a look counts that no tick has accepted: one by hand, or one that an operator retries. The next tick
 * then finds nothing new. An open look at the same user stays the one that counts. Of a user without activity, nothing
 * is kept.
 */
export async function recordLook(
  db: Kysely<Tables>,
  userId: string,
  { jobId, now }: { jobId: string; now: Date },
): Promise<void> {
  const look = await db
    .selectFrom('activity_looks')
    .select('job_id')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  if (look?.job_id === jobId) return;
  const newest = await db
    .selectFrom('activity_log')
    .select('id')
    .where('user_id', '=', userId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!newest) return;
  const user = { userId, newestId: newest.id };
  await despiteContention(() =>
    db.transaction().execute(async (transaction) => {
      await lockLooks(transaction, [user], now);
      const openJobs = await openLooks(transaction, [userId]);
      if (openJobs.length === 0) await keepLooks(transaction, [{ ...user, jobId }], now);
    }),
  );
}

async function usersToLookAt<User extends LookedAt>(
  db: Kysely<Tables>,
  users: readonly User[],
): Promise<User[]> {
  if (users.length === 0) return [];
  const userIds = users.map(({ userId }) => userId);
  const looks = await db
    .selectFrom('activity_looks')
    .select(['user_id', 'looked_to_id'])
    .where('user_id', 'in', userIds)
    .execute();
  const lookedTo = new Map(looks.map((look) => [look.user_id, look.looked_to_id]));
  const withNews = users.filter(({ userId, newestId }) => newestId > (lookedTo.get(userId) ?? 0));
  if (withNews.length === 0) return [];
  const open = new Set(
    await openLooks(
      db,
      withNews.map(({ userId }) => userId),
    ),
  );
  return withNews.filter(({ userId }) => !open.has(userId));
}

/**
 * Without those who were forgotten since they were read: neither a job nor a locked row is to bring their ids back.
 * Whoever forgets them from now on waits for the lock, and then finds the job.
 */
async function withoutForgotten<User extends LookedAt>(
  transaction: Transaction<Tables>,
  users: readonly User[],
): Promise<User[]> {
  const rows = await transaction
    .selectFrom('activity_log')
    .select('id')
    .where(
      'id',
      'in',
      users.map(({ newestId }) => newestId),
    )
    .execute();
  const present = new Set(rows.map(({ id }) => id));
  const gone = users.filter(({ newestId }) => !present.has(newestId)).map(({ userId }) => userId);
  if (gone.length > 0) {
    await transaction
      .deleteFrom('activity_looks')
      .where('user_id', 'in', gone)
      .where('job_id', '=', noLook.job_id)
      .execute();
  }
  return users.filter(({ newestId }) => present.has(newestId));
}

/** The users among these whose look has not been settled yet. */
async function openLooks(db: Kysely<Tables>, userIds: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('activity_looks')
    .innerJoin('jobs', 'jobs.id', 'activity_looks.job_id')
    .select('activity_looks.user_id')
    .where('activity_looks.user_id', 'in', userIds)
    .where('jobs.state', '=', 'accepted')
    .execute();
  return rows.map((row) => row.user_id);
}

/** Locks the users' rows until the transaction ends; makes those that are missing, so that there is one to lock. */
async function lockLooks(
  transaction: Transaction<Tables>,
  users: readonly LookedAt[],
  now: Date,
): Promise<void> {
  await transaction
    .insertInto('activity_looks')
    .values(users.map(({ userId }) => ({ user_id: userId, ...noLook, looked_at: now })))
    .onDuplicateKeyUpdate({ looked_to_id: sql`looked_to_id` })
    .execute();
}

async function keepLooks(
  transaction: Transaction<Tables>,
  looks: readonly (LookedAt & { jobId: string })[],
  now: Date,
): Promise<void> {
  await transaction
    .insertInto('activity_looks')
    .values(
      looks.map(({ userId, newestId, jobId }) => ({
        user_id: userId,
        looked_to_id: newestId,
        job_id: jobId,
        looked_at: now,
      })),
    )
    .onDuplicateKeyUpdate({
      looked_to_id: sql`values(looked_to_id)`,
      job_id: sql`values(job_id)`,
      looked_at: sql`values(looked_at)`,
    })
    .execute();
}
