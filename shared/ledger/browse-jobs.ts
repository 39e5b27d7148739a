import { sql, type Kysely, type Selectable } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { JobRowState, JobsTable } from '../database/jobs-table.ts';
import type { Tables } from '../database/tables.ts';
import { firstIdSince } from './first-id-since.ts';
import { jobRecord, type JobRecord } from './job-record.ts';
import { newestIds } from './newest-ids.ts';
import { patternInJson } from './pattern-in-json.ts';

export interface BrowseFilter {
  queue?: string | undefined;
  state?: JobRowState | undefined;
  /** Only children of this job. */
  parentId?: string | undefined;
  /** An id, or text that the payload, the result or the error holds, to the letter. */
  search?: string | undefined;
  /** Only jobs accepted at or after. */
  since?: Date | undefined;
  /** Only jobs accepted before this one: `next` of the page before. */
  before?: string | undefined;
  /** How many jobs make a page. */
  limit: number;
  /** How long a search looks further back while it finds nothing, in milliseconds; with a find it ends sooner. */
  searchForMs: number;
}

/** A job without what may be large. */
export type JobSummary = Omit<JobRecord, 'payload' | 'result' | 'interim'>;

export interface JobPage {
  /** Newest first. */
  jobs: JobSummary[];
  /** The last job that was looked at: where the next page begins. Undefined when nothing is older. */
  next: string | undefined;
  /** Only of a search: how many jobs it looked through, and how far back it came if its time was over. */
  searched?: { jobs: number; backTo: Date | undefined };
}

const firstBatch = 200;
const largestBatch = 8_000;
/** Payloads are of any size, so how many rows one statement looks through is found by its time. */
const aimedBatchMs = 250;
/** Who has found something waits no longer than this part of the time for more. */
const shareOnceFound = 1 / 6;

/**
 * One page of the ledger, newest first, in time that does not grow with the table: lists are read from the index
 * of queue and state, and a search looks through the rows batch by batch, from the newest back, until the page is
 * full or its time is over. Answers how far it came; an index over the text would make every accept dearer.
 */
export async function browseJobs(db: Kysely<Tables>, filter: BrowseFilter): Promise<JobPage> {
  const { limit, search } = filter;
  if (search === undefined) {
    const ids = await nextIds(db, filter, filter.before, limit + 1);
    const shown = ids.slice(0, limit);
    return {
      jobs: await readSummaries(db, shown),
      next: ids.length > limit ? shown.at(-1) : undefined,
    };
  }

  const startedAt = performance.now();
  const timeIsOver = () => {
    const share = found.length > 0 ? shareOnceFound : 1;
    return performance.now() - startedAt > filter.searchForMs * share;
  };
  const found: string[] = [];
  let { before } = filter;
  let batchSize = firstBatch;
  let searched = 0;
  let atEnd = false;
  // One batch at least, so that whoever asks on comes to the end.
  do {
    const batchStartedAt = performance.now();
    const batch = await nextIds(db, filter, before, batchSize);
    found.push(...(await idsHolding(db, search, batch, isFiltered(filter))));
    atEnd = batch.length < batchSize;
    searched += batch.length;
    before = batch.at(-1) ?? before;
    batchSize = nextBatchSize(batchSize, performance.now() - batchStartedAt);
  } while (!atEnd && found.length < limit && !timeIsOver());
  const shown = found.slice(0, limit);
  const lookedBackTo = atEnd ? undefined : before;
  const isFull = found.length >= limit;
  return {
    jobs: await readSummaries(db, shown),
    next: found.length > limit ? shown.at(-1) : lookedBackTo,
    searched: {
      jobs: searched,
      backTo: isFull || lookedBackTo === undefined ? undefined : acceptedAt(lookedBackTo),
    },
  };
}

/** Ids are UUIDs of version 7, which begin with their time in milliseconds. */
function acceptedAt(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

function nextBatchSize(size: number, tookMs: number): number {
  if (tookMs < aimedBatchMs / 2) return Math.min(size * 2, largestBatch);
  return tookMs > aimedBatchMs * 2 ? Math.max(1, Math.floor(size / 4)) : size;
}

function isFiltered({ queue, state, parentId }: BrowseFilter): boolean {
  return queue !== undefined || state !== undefined || parentId !== undefined;
}

/** The newest ids that the filter lets through, text aside. Only indexes are read. */
async function nextIds(
  db: Kysely<Tables>,
  { queue, state, parentId, since }: BrowseFilter,
  before: string | undefined,
  limit: number,
): Promise<string[]> {
  if (parentId === undefined) {
    const states = state === undefined ? undefined : [state];
    return await newestIds(db, { queue, states, since, before }, limit);
  }
  let children = db.selectFrom('jobs').select('id').where('parent_id', '=', parentId);
  if (before !== undefined) children = children.where('id', '<', before);
  if (since !== undefined) children = children.where('id', '>=', firstIdSince(since));
  if (queue !== undefined) children = children.where('queue', '=', queue);
  if (state !== undefined) children = children.where('state', '=', state);
  return idsOf(await children.orderBy('id', 'desc').limit(limit).execute());
}

/** Those of the jobs that hold the text, newest first. `scattered`: other jobs lie between them. */
async function idsHolding(
  db: Kysely<Tables>,
  text: string,
  ids: readonly string[],
  scattered: boolean,
): Promise<string[]> {
  const [newest, oldest] = [ids[0], ids.at(-1)];
  if (newest === undefined || oldest === undefined) return [];
  // Compared byte by byte, which takes a third of the time of a comparison by collation.
  const pattern = sql`cast(${patternInJson(text)} as binary)`;
  const query = db
    .selectFrom('jobs')
    .select('id')
    .where(
      sql<boolean>`(payload like ${pattern} or result like ${pattern} or error like ${pattern}
                    or id = ${isUuid(text) ? text : ''})`,
    );
  const holding = scattered
    ? query.where('id', 'in', ids)
    : // One range, read forwards and sorted here: the server reads ahead, which it does not do backwards.
      query.where('id', '>=', oldest).where('id', '<=', newest);
  return idsOf(await holding.execute())
    .sort()
    .toReversed();
}

async function readSummaries(db: Kysely<Tables>, ids: readonly string[]): Promise<JobSummary[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('jobs')
    .select(summaryColumns)
    .where('id', 'in', ids)
    .orderBy('id', 'desc')
    .execute();
  return rows.map((row) => {
    const {
      payload: _payload,
      result: _result,
      interim: _interim,
      ...summary
    } = jobRecord({ ...row, payload: 'null', result: null, interim: null });
    return summary;
  });
}

const summaryColumns = [
  'id',
  'queue',
  'state',
  'phase',
  'generation',
  'error',
  'attempts',
  'priority',
  'parent_id',
  'child_position',
  'unique_key',
  'request_id',
  'traceparent',
  'settled_by',
  'created_at',
  'due_at',
  'check_at',
  'finished_at',
  'children_until',
  'payload_version',
] as const satisfies readonly (keyof JobsTable)[];

function idsOf(rows: readonly Pick<Selectable<JobsTable>, 'id'>[]): string[] {
  return rows.map(({ id }) => id);
}
