import { sql, type Kysely } from 'kysely';
import { despiteContention } from '../../shared/database/despite-contention.ts';
import type { LeadScoresTable } from '../../shared/database/lead-scores-table.ts';
import type { Tables } from '../../shared/database/tables.ts';

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
   *
   * @param rows of one job, by one version of one model, at one time
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
 * Inserts what is not there; answers how many rows that were. Every run has the same leads and takes them in the same
 * order, so that of two runs at once the second waits at the first row until the other has all of its rows.
 *
 * One statement with one parameter for all rows: with a parameter for each value it takes several times as long to put
 * the statement together.
 */
async function insert(db: Kysely<Tables>, rows: readonly LeadScoresTable[]): Promise<number> {
  // In the order of the key: rows then lie side by side.
  const ordered = rows.toSorted((one, other) => compare(one.lead_id, other.lead_id));
  const [first] = ordered;
  if (!first) return 0;
  // Most batches have no errors, and each column that is looked for in the JSON takes the server time.
  const hasErrors = ordered.some(({ error_code }) => error_code !== null);
  const errorNames = hasErrors ? sql`, error_code, error_message` : sql``;
  const errorColumns = hasErrors
    ? sql`, error_code varchar(32) path '$[6]', error_message text character set utf8mb4 path '$[7]'`
    : sql``;
  // INSERT IGNORE, because the driver makes an update that changes nothing count as a row.
  const { numAffectedRows } = await sql`
    insert ignore into lead_scores (
      job_id, model_id, model_version, scored_at,
      lead_id, position, probability, confidence, feature_coverage, degraded ${errorNames}
    )
    select ${first.job_id}, ${first.model_id}, ${first.model_version}, ${first.scored_at}, found.*
    from json_table(${JSON.stringify(ordered.map(toArray))}, '$[*]' columns (
      lead_id varchar(128) character set utf8mb4 path '$[0]',
      position int path '$[1]',
      probability double path '$[2]',
      confidence double path '$[3]',
      feature_coverage double path '$[4]',
      degraded int path '$[5]' ${errorColumns}
    )) as found`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

/** What differs from row to row, in the order of the statement's columns. */
function toArray(row: LeadScoresTable): (string | number | null)[] {
  const facts = [
    row.lead_id,
    row.position,
    // As text, which becomes the very same number again; MySQL reads numbers in JSON less exactly.
    textOf(row.probability),
    textOf(row.confidence),
    textOf(row.feature_coverage),
    row.degraded,
  ];
  if (row.error_code === null) return facts;
  // An escape of half a character, which JSON may hold, would make the whole text unreadable for the server.
  return [...facts, row.error_code, row.error_message?.toWellFormed() ?? null];
}

function textOf(number: number | null): string | null {
  return number === null ? null : String(number);
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
