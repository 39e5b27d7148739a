import { sql, type Kysely, type RawBuilder } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { JobRowState } from '../database/jobs-table.ts';
import type { ErrorKind } from '../errors/job-error.ts';
import { isOutage } from '../database/open-database.ts';
import type { Tables } from '../database/tables.ts';
import { createGroup } from '../group/create-group.ts';
import { firstIdSince } from './first-id-since.ts';
import { jobRecord, type JobRecord } from './job-record.ts';
import { newestIds } from './newest-ids.ts';
import { patternInJson } from './pattern-in-json.ts';

export interface JobFilter {
  queue?: string;
  states?: readonly JobRowState[];
  /** Only these. */
  ids?: readonly string[];
  /** Accepted at or after. */
  since?: Date;
  /** An id, or text that the payload or the result contains: only among few, such as `ids` (else see `browseJobs`). */
  search?: string;
  /** Only jobs whose last error was of this kind. */
  errorKind?: ErrorKind;
  /** Only jobs that were settled before. */
  finishedBefore?: Date;
  /** Only jobs that were accepted before this one: the last id of the page before. */
  before?: string;
  limit: number;
}

export type ReadJobs = ReturnType<typeof createReadJobs>;

export function createReadJobs(db: Kysely<Tables>) {
  const reads = createGroup<string, JobRecord | undefined>({
    maxItems: 200,
    parallelFlushes: 2,
    retrySingly: (error) => !isOutage(error),
    async flush(ids) {
      const rows = await db.selectFrom('jobs').selectAll().where('id', 'in', ids).execute();
      const records = new Map(rows.map((row) => [row.id, jobRecord(row)]));
      return ids.map((id) => records.get(id));
    },
  });

  return {
    /** One job by id; reads that are asked for together share one query. */
    read: (id: string): Promise<JobRecord | undefined> => reads.add(id),

    /** Newest first. */
    list: (filter: JobFilter): Promise<JobRecord[]> => listJobs(db, filter),

    /** Which of these jobs are settled, whatever the outcome. */
    async settledAmong(ids: readonly string[]): Promise<string[]> {
      if (ids.length === 0) return [];
      const rows = await db
        .selectFrom('jobs')
        .select('id')
        .where('id', 'in', ids)
        .where('state', '!=', 'accepted')
        .execute();
      return rows.map((row) => row.id);
    },

    [Symbol.asyncDispose]: () => reads[Symbol.asyncDispose](),
  };
}

/** How many jobs of a queue are open, counted no further than the limit: the index answers, and not for long. */
export async function countOpen(db: Kysely<Tables>, queue: string, limit: number): Promise<number> {
  const counted = await db
    .selectFrom((open) =>
      open
        .selectFrom('jobs')
        .select('id')
        .where('queue', '=', queue)
        .where('state', '=', 'accepted')
        .limit(limit)
        .as('open'),
    )
    .select((row) => row.fn.countAll().as('count'))
    .executeTakeFirst();
  return Number(counted?.count ?? 0);
}

async function listJobs(db: Kysely<Tables>, filter: JobFilter): Promise<JobRecord[]> {
  const { queue, states, since, before, search } = filter;
  let { ids } = filter;
  // Jobs in a rare state are not looked for among all others.
  if (states !== undefined && ids === undefined && search === undefined) {
    const also = finishedAs(filter);
    ids = await newestIds(db, { queue, states, since, before, also }, filter.limit);
  }
  if (ids?.length === 0) return [];
  let query = db.selectFrom('jobs').selectAll().where(finishedAs(filter)).orderBy('id', 'desc');
  if (queue !== undefined) query = query.where('queue', '=', queue);
  if (states !== undefined) query = query.where('state', 'in', states);
  if (ids !== undefined) query = query.where('id', 'in', ids);
  if (before !== undefined) query = query.where('id', '<', before);
  if (since !== undefined) query = query.where('id', '>=', firstIdSince(since));
  if (search !== undefined) {
    const pattern = patternInJson(search);
    query = query.where((row) =>
      row.or([
        ...(isUuid(search) ? [row('id', '=', search)] : []),
        row('payload', 'like', pattern),
        row('result', 'like', pattern),
      ]),
    );
  }
  return (await query.limit(filter.limit).execute()).map(jobRecord);
}

/** Which errors, and when settled. */
function finishedAs({ errorKind, finishedBefore }: JobFilter): RawBuilder<boolean> {
  const conditions = [
    // The kind is the first field of the error as `settle` writes it.
    ...(errorKind === undefined ? [] : [sql<boolean>`error like ${`{"kind":"${errorKind}",%`}`]),
    ...(finishedBefore === undefined ? [] : [sql<boolean>`finished_at < ${finishedBefore}`]),
  ];
  return conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(conditions, sql` and `)}`;
}
