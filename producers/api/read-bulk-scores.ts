import type { Kysely } from 'kysely';
import { leadChunkSchema } from '../../shared/contracts/lead-scoring.ts';
import type { LeadScoresTable } from '../../shared/database/lead-scores-table.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { isLeadId, leadIdRule } from '../../shared/leads/lead-id.ts';
import type { JobRecord } from '../../shared/ledger/job-record.ts';
import type { Ledger } from '../../shared/ledger/open-ledger.ts';

/** Answers a bulk's scores as lines of NDJSON, a chunk at a time. */
export type ReadBulkScores = (bulkId: string) => AsyncGenerator<string>;

/**
 * Every lead of the settled chunks once, in the order of the request. What is still open is left out. The ids are the
 * chunks' own, so that each chunk's rows are found by their key, and ids without a row are answered too.
 */
export function createBulkScoreReader({
  db,
  ledger,
}: {
  db: Kysely<Tables>;
  ledger: Pick<Ledger, 'children'>;
}): ReadBulkScores {
  return async function* read(bulkId) {
    for await (const chunk of ledger.children(bulkId)) {
      if (chunk.state === 'accepted') continue;
      const { lead_ids: leadIds } = leadChunkSchema.parse(chunk.payload);
      const lines =
        chunk.state === 'completed'
          ? await scoredLines(db, bulkId, leadIds)
          : leadIds.map((leadId) => errorLine(leadId, 'NOT_SCORED', whyNot(chunk)));
      if (lines.length > 0) yield lines.join('');
    }
  };
}

async function scoredLines(
  db: Kysely<Tables>,
  bulkId: string,
  leadIds: readonly string[],
): Promise<string[]> {
  const rows = await db
    .selectFrom('lead_scores')
    .selectAll()
    .where('job_id', '=', bulkId)
    .where('lead_id', 'in', leadIds)
    .execute();
  const byLead = new Map(rows.map((row) => [row.lead_id, row]));
  return leadIds.flatMap((leadId) => {
    if (!isLeadId(leadId)) return errorLine(leadId, 'INVALID_LEAD_ID', `The id ${leadIdRule}`);
    const row = byLead.get(leadId);
    // Without a row it is of somebody who has been forgotten since.
    return row ? rowLine(row) : [];
  });
}

function rowLine(row: LeadScoresTable): string {
  const { lead_id, probability, confidence, feature_coverage, error_code, error_message } = row;
  if (error_code !== null) return errorLine(lead_id, error_code, error_message ?? '');
  const degraded = row.degraded !== 0;
  const { model_version } = row;
  return line({ lead_id, probability, confidence, feature_coverage, degraded, model_version });
}

function errorLine(leadId: string, code: string, message: string): string {
  return line({ lead_id: leadId, code, message });
}

function whyNot({ state, error }: JobRecord): string {
  const what = `The job of its chunk ${state === 'cancelled' ? 'was cancelled' : 'failed'}`;
  return state === 'failed' && error ? `${what}: ${error.message}` : what;
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
