import type { Kysely } from 'kysely';
import type { CallTimePredictionsTable } from '../../shared/database/call-time-predictions-table.ts';
import { isOutage } from '../../shared/database/open-database.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { createGroup } from '../../shared/group/create-group.ts';

const maxRowsPerStatement = 500;

/** One row per predicted contact of a job, by its position; and the journal of the endpoint's answers. */
export interface PredictionRows extends AsyncDisposable {
  /** What earlier runs of the job have recorded, by position. */
  load(jobId: string): Promise<Map<number, CallTimePredictionsTable>>;
  /**
   * Writes rows that are not there yet; the first write wins. Answers the rows as they are stored, in the order
   * given: another run of the job may have been first. Rows of several jobs share statements.
   *
   * @throws StoreUnavailableError
   */
  record(rows: readonly CallTimePredictionsTable[]): Promise<CallTimePredictionsTable[]>;
}

/** The table `call_time_predictions`. */
export function createPredictionRows(db: Kysely<Tables>): PredictionRows {
  const group = createGroup<CallTimePredictionsTable, CallTimePredictionsTable>({
    maxItems: maxRowsPerStatement,
    parallelFlushes: 2,
    flush: (rows) => insert(db, rows),
    retrySingly: (error) => !isOutage(error),
  });
  return {
    async load(jobId) {
      const rows = await db
        .selectFrom('call_time_predictions')
        .selectAll()
        .where('job_id', '=', jobId)
        .execute();
      return new Map(rows.map((row) => [row.position, row]));
    },
    record(rows) {
      return Promise.all(rows.map((row) => group.add(row)));
    },
    [Symbol.asyncDispose]() {
      return group[Symbol.asyncDispose]();
    },
  };
}

/** Inserts what is not there and answers, for each row, what is stored under its key. */
async function insert(
  db: Kysely<Tables>,
  rows: CallTimePredictionsTable[],
): Promise<CallTimePredictionsTable[]> {
  // INSERT IGNORE, because the driver makes an update that changes nothing count as a row.
  const { numInsertedOrUpdatedRows: inserted } = await db
    .insertInto('call_time_predictions')
    .ignore()
    .values(rows)
    .executeTakeFirstOrThrow();
  if (inserted === BigInt(rows.length)) return rows;

  const stored = new Map<string, CallTimePredictionsTable>();
  for (const [jobId, ofJob] of Map.groupBy(rows, (row) => row.job_id)) {
    const positions = ofJob.map((row) => row.position);
    const found = await db
      .selectFrom('call_time_predictions')
      .selectAll()
      .where('job_id', '=', jobId)
      .where('position', 'in', positions)
      .execute();
    for (const row of found) stored.set(rowKey(row), row);
  }
  return rows.map((row) => stored.get(rowKey(row)) ?? row);
}

function rowKey(row: CallTimePredictionsTable): string {
  return `${row.job_id}/${row.position}`;
}
