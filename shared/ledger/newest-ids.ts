import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { JobRowState } from '../database/jobs-table.ts';
import type { Tables } from '../database/tables.ts';
import { firstIdSince } from './first-id-since.ts';

export interface NewestFilter {
  queue?: string | undefined;
  /** Only jobs in one of these states. */
  states?: readonly JobRowState[] | undefined;
  /** Only jobs accepted at or after. */
  since?: Date | undefined;
  /** Only jobs accepted before this one. */
  before?: string | undefined;
  /** What else must be true of a row; it is looked at in the order of the index. */
  also?: RawBuilder<boolean> | undefined;
}

/**
 * The ids of the newest jobs that the filter lets through, newest first, in time that does not grow with the ledger:
 * within one queue and one state the index is in the order of ids, so the newest of each are at hand.
 */
export async function newestIds(
  db: Kysely<Tables>,
  { queue, states, since, before, also }: NewestFilter,
  limit: number,
): Promise<string[]> {
  const kinds = await db.selectFrom('jobs').select(['queue', 'state']).distinct().execute();
  const newest = kinds
    .filter((kind) => (queue ?? kind.queue) === kind.queue && (states?.includes(kind.state) ?? true))
    .map(
      (kind) =>
        sql`(select id from jobs where queue = ${kind.queue} and state = ${kind.state}
             ${before === undefined ? sql`` : sql`and id < ${before}`}
             ${since === undefined ? sql`` : sql`and id >= ${firstIdSince(since)}`}
             ${also === undefined ? sql`` : sql`and ${also}`}
             order by id desc limit ${limit})`,
    );
  if (newest.length === 0) return [];
  const { rows } = await sql<{ id: string }>`
    select id from (${sql.join(newest, sql` union all `)}) as newest order by id desc limit ${limit}`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}
