import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

export interface ActiveUser {
  userId: string;
  /** Of the row that came in last, however old its event is: it grows when there is anything new. */
  newestId: number;
  /** When the latest event occurred. */
  latestAt: Date;
}

const defaultPageSize = 1_000;

/**
 * Goes through the users in the order of their ids, a page of users at a time, and answers those of each page who have
 * been active since. Each statement jumps from user to user in an index, however many events they have.
 */
export async function* readActiveUsers(
  db: Kysely<Tables>,
  { since, pageSize = defaultPageSize }: { since: Date; pageSize?: number },
): AsyncGenerator<ActiveUser[]> {
  for (let after = ''; ;) {
    const page = await db
      .selectFrom('activity_log')
      .select(({ fn }) => ['user_id', fn.max('occurred_at').as('latest_at')])
      .where('user_id', '>', after)
      .groupBy('user_id')
      .orderBy('user_id')
      .limit(pageSize)
      .execute();
    const last = page.at(-1);
    if (!last) return;
    const active = page.filter((user) => user.latest_at >= since);
    if (active.length > 0) yield await withNewestIds(db, active);
    if (page.length < pageSize) return;
    after = last.user_id;
  }
}

async function withNewestIds(
  db: Kysely<Tables>,
  users: readonly { user_id: string; latest_at: Date }[],
): Promise<ActiveUser[]> {
  const rows = await db
    .selectFrom('activity_log')
    .select(({ fn }) => ['user_id', fn.max<number>('id').as('newest_id')])
    .where(
      'user_id',
      'in',
      users.map((user) => user.user_id),
    )
    .groupBy('user_id')
    .execute();
  const newestIds = new Map(rows.map((row) => [row.user_id, row.newest_id]));
  return users.flatMap(({ user_id: userId, latest_at: latestAt }) => {
    const newestId = newestIds.get(userId);
    // Forgotten meanwhile.
    return newestId === undefined ? [] : [{ userId, newestId, latestAt }];
  });
}
