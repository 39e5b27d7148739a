import type { Kysely } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { JobRowState } from '../database/jobs-table.ts';
import type { ErrorKind } from '../errors/job-error.ts';
import { isOutage } from '../database/open-database.ts';
import type { Tables } from '../database/tables.ts';
import { createGroup } from '../group/create-group.ts';
import { firstIdSince } from './first-id-since.ts';
import { jobRecord, type JobRecord } from './job-record.ts';
import { patternInJson } from './pattern-in-json.ts';

export interface JobFilter {
  queue?: string;
  states?: readonly JobRowState[];
  /** Only these. */
  ids?: readonly string[];
  /** Accepted at or after. */
  since?: Date;
  /** An id, or text that the payload or the result contains. */
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
    async list(filter: JobFilter): Promise<JobRecord[]> {
      let query = db.selectFrom('jobs').selectAll().orderBy('id', 'desc').limit(filter.limit);
      if (filter.queue !== undefined) query = query.where('queue', '=', filter.queue);
      if (filter.states !== undefined) query = query.where('state', 'in', filter.states);
      if (filter.ids !== undefined) {
        if (filter.ids.length === 0) return [];
        query = query.where('id', 'in', filter.ids);
      }
      // The kind is the first field of the error as `settle` writes it.
      if (filter.errorKind !== undefined)
        query = query.where('error', 'like', `{"kind":"${filter.errorKind}",%`);
      if (filter.finishedBefore !== undefined) query = query.where('finished_at', '<', filter.finishedBefore);
      if (filter.before !== undefined) query = query.where('id', '<', filter.before);
      if (filter.since !== undefined) query = query.where('id', '>=', firstIdSince(filter.since));
      const { search } = filter;
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
      return (await query.execute()).map(jobRecord);
    },

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
