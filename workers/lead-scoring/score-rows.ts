import type { Kysely } from 'kysely';
import { despiteContention } from '../../shared/database/despite-contention.ts';
import type { LeadScoresTable } from '../../shared/database/lead-scores-table.ts';
import type { Tables } from '../../shared/database/tables.ts';

const rowsPerStatement = 1_000;

/**
 * The table `lead_scores`: of each batch, or each chunk of a bulk, all rows or none. Every call throws
 * StoreUnavailableError.
 */
export interface ScoreRows {
  /**
   * What a run has recorded of a job, or of some of its leads, in the order of the request; empty where none has.
   */
  load(jobId: string, leadIds?: readonly string[]): Promise<LeadScoresTable[]>;
  /**
   * Records what a run of a batch or chunk has found out: all of it, or nothing where another run has been first.
   * Answers what is stored of these leads, in the order of the request.
   */
  record(jobId: string, rows: readonly LeadScoresTable[]): Promise<LeadScoresTable[]>;
}

export function createScoreRows(db: Kysely<Tables>): ScoreRows {
  async function load(jobId: string, leadIds?: readonly string[]): Promise<LeadScoresTable[]> {
    if (leadIds?.length === 0) return [];
    const ofJob = db.selectFrom('lead_scores').selectAll().where('job_id', '=', jobId);
    const asked = leadIds === undefined ? ofJob : ofJob.where('lead_id', 'in', leadIds);
    return await asked.orderBy('position').execute();
  }

  return {
    load,
    async record(jobId, rows) {
      const inserted = await despiteContention(() => insert(db, rows));
      return inserted === rows.length
        ? rows.toSorted((one, other) => one.position - other.position)
        : await load(
            jobId,
            rows.map((row) => row.lead_id),
          );
    },
  };
}

/**
 * Inserts what is not there. Every run has the same leads and takes them in the same order, so that of two
 * runs at once the second waits at the first row until the other has all of its rows.
 */
function insert(db: Kysely<Tables>, rows: readonly LeadScoresTable[]): Promise<number> {
  // In the order of the key: rows then lie side by side.
  const ordered = rows.toSorted((one, other) => compare(one.lead_id, other.lead_id));
  return db.transaction().execute(async (transaction) => {
    let inserted = 0;
    for (let start = 0; start < ordered.length; start += rowsPerStatement) {
      // INSERT IGNORE, because the driver makes an update that changes nothing count as a row.
      const { numInsertedOrUpdatedRows } = await transaction
        .insertInto('lead_scores')
        .ignore()
        .values(ordered.slice(start, start + rowsPerStatement))
        .executeTakeFirstOrThrow();
      inserted += Number(numInsertedOrUpdatedRows ?? 0n);
    }
    return inserted;
  });
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
