import type { Kysely } from 'kysely';
import { migrationStatus, tablesMadeBy, unknownMigrations } from './migrate.ts';
import { readColumns } from './read-columns.ts';
import type { Tables } from './tables.ts';

/** A table without some of its columns. */
export interface IncompleteTable {
  table: string;
  missing: string[];
}

/** How the schema differs from what this version of the fleet needs: everything empty means not at all. */
export interface SchemaDifference {
  /** Migrations that have not been run. */
  pending: string[];
  /** Migrations that a newer version of the fleet has run. */
  unknown: string[];
  /** Tables that are not there although their migration has been run. */
  missing: string[];
  /** Tables that lack columns although their migration has been run. */
  incomplete: IncompleteTable[];
  /** Tables that stand in the way of a pending migration: somebody else's. */
  foreign: IncompleteTable[];
}

export async function inspectSchema(db: Kysely<Tables>): Promise<SchemaDifference> {
  const present = await readColumns(db);
  const known = await migrationStatus(db);
  const difference: SchemaDifference = { pending: [], unknown: [], missing: [], incomplete: [], foreign: [] };
  for (const { name, executedAt } of known) {
    if (!executedAt) difference.pending.push(name);
    for (const [table, columns] of tablesMadeBy(name)) {
      const columnsThere = present.get(table);
      const missing = columns.filter((column) => !columnsThere?.has(column));
      if (!columnsThere) {
        if (executedAt) difference.missing.push(table);
      } else if (missing.length > 0) {
        difference[executedAt ? 'incomplete' : 'foreign'].push({ table, missing });
      }
    }
  }
  difference.unknown.push(...(await unknownMigrations(db)));
  return difference;
}
