import { sql, type Kysely } from 'kysely';
import { despiteContention } from '../../shared/database/despite-contention.ts';
import type { LeadShadowScoresTable } from '../../shared/database/lead-shadow-scores-table.ts';
import type { Tables } from '../../shared/database/tables.ts';

/** The table `lead_shadow_scores`. */
export interface ShadowRows {
  /**
   * Records what a challenger said beside the champion, of the leads whose score is there: of a lead that was forgotten
   * since, nothing may be stored. Answers how many of them were not recorded before.
   *
   * @param rows as few as one statement may take
   * @throws StoreUnavailableError
   */
  record(rows: readonly LeadShadowScoresTable[]): Promise<number>;
}

export function createShadowRows(db: Kysely<Tables>): ShadowRows {
  return {
    record: (rows) =>
      despiteContention(() =>
        // No gaps are locked, so that whoever records scores is not held up.
        db
          .transaction()
          .setIsolationLevel('read committed')
          .execute(async (transaction) => {
            const byJob = Map.groupBy(rows, (row) => row.job_id);
            // Held until the end: forgetting deletes scores first, and what was made of them after that.
            const scored = await transaction
              .selectFrom('lead_scores')
              .select(['job_id', 'lead_id'])
              .where((score) =>
                score.or(
                  [...byJob].map(([jobId, ofJob]) => {
                    const leadIds = ofJob.map((row) => row.lead_id);
                    return score('job_id', '=', jobId).and('lead_id', 'in', leadIds);
                  }),
                ),
              )
              .modifyEnd(sql`lock in share mode`)
              .execute();
            const known = new Set(scored.map(({ job_id, lead_id }) => `${job_id} ${lead_id}`));
            const kept = rows.filter(({ job_id, lead_id }) => known.has(`${job_id} ${lead_id}`));
            if (kept.length === 0) return 0;
            const { numInsertedOrUpdatedRows } = await transaction
              .insertInto('lead_shadow_scores')
              .ignore()
              .values(kept)
              .executeTakeFirstOrThrow();
            return Number(numInsertedOrUpdatedRows ?? 0n);
          }),
      ),
  };
}
