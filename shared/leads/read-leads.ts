import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

/**
 * What is known of leads, by id, as the JSON text that is stored; a lead that does not exist is missing from the
 * answer. One statement, whatever their number.
 *
 * @throws StoreUnavailableError
 */
export async function readLeads(
  db: Kysely<Tables>,
  leadIds: readonly string[],
): Promise<Map<string, string>> {
  if (leadIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('leads')
    .select(['lead_id', 'features'])
    .where('lead_id', 'in', leadIds)
    .execute();
  return new Map(rows.map((row) => [row.lead_id, row.features]));
}
