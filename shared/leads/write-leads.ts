import { sql, type Kysely } from 'kysely';
import { despiteContention } from '../database/despite-contention.ts';
import type { LeadsTable } from '../database/leads-table.ts';
import { splitRows } from '../database/split-rows.ts';
import type { Tables } from '../database/tables.ts';

const maxRowsPerStatement = 1_000;

/**
 * Writes leads; of one that is there already, everything is replaced. Of two with the same id the last one counts.
 *
 * @throws StoreUnavailableError; the same leads may be written again then
 */
export async function writeLeads(db: Kysely<Tables>, leads: readonly LeadsTable[]): Promise<void> {
  // Whoever writes the same leads takes the locks in the same order.
  const ordered = leads.toSorted((one, other) => compare(one.lead_id, other.lead_id));
  const statements = splitRows(ordered, { maxRows: maxRowsPerStatement, charactersOf });
  await despiteContention(() =>
    db.transaction().execute(async (transaction) => {
      for (const part of statements) {
        await transaction
          .insertInto('leads')
          .values(part)
          // MariaDB has no other name for what would have been inserted.
          .onDuplicateKeyUpdate({ features: sql`values(features)`, updated_at: sql`values(updated_at)` })
          .execute();
      }
    }),
  );
}

function charactersOf(lead: LeadsTable): number {
  return lead.lead_id.length + lead.features.length;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
