import type { Kysely } from 'kysely';
import { deleteInPages } from '../../shared/database/delete-in-pages.ts';
import type { Tables } from '../../shared/database/tables.ts';

const rowsPerStatement = 500;

/**
 * Deletes what is known of the last look at users who were looked at before, and so have done nothing since. Answers
 * how many. Whoever comes back is looked at again.
 *
 * @param signal ends it after the statement in hand
 */
export function purgeLooks(
  db: Kysely<Tables>,
  { lookedAtBefore, signal }: { lookedAtBefore: Date; signal: AbortSignal },
): Promise<number> {
  return deleteInPages(
    async (limit) => {
      // Found without locks, deleted by their primary keys: no index has the time, and ticks need the other rows.
      const old = await db
        .selectFrom('activity_looks')
        .select('user_id')
        .where('looked_at', '<', lookedAtBefore)
        .limit(limit)
        .execute();
      if (old.length === 0) return 0n;
      const { numDeletedRows } = await db
        .deleteFrom('activity_looks')
        .where(
          'user_id',
          'in',
          old.map((look) => look.user_id),
        )
        .where('looked_at', '<', lookedAtBefore)
        .executeTakeFirstOrThrow();
      return numDeletedRows;
    },
    { pageSize: rowsPerStatement, signal },
  );
}
