import type { Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import * as jobs from '../../migrations/0001-jobs.ts';
import * as callTimePredictions from '../../migrations/0002-call-time-predictions.ts';
import * as idempotencyKeys from '../../migrations/0003-idempotency-keys.ts';
import * as llmCalls from '../../migrations/0004-llm-calls.ts';
import * as activity from '../../migrations/0005-activity.ts';
import * as patterns from '../../migrations/0006-patterns.ts';
import * as leadScores from '../../migrations/0007-lead-scores.ts';
import * as leadShadowScores from '../../migrations/0008-lead-shadow-scores.ts';
import { readColumns } from './read-columns.ts';
import type { Tables } from './tables.ts';

interface FleetMigration extends Migration {
  /** The tables that it makes, with their columns. */
  creates: Readonly<Record<string, readonly string[]>>;
}

/** Append-only: what has been released is never edited. */
const migrations: Readonly<Record<string, FleetMigration>> = {
  '0001-jobs': jobs,
  '0002-call-time-predictions': callTimePredictions,
  '0003-idempotency-keys': idempotencyKeys,
  '0004-llm-calls': llmCalls,
  '0005-activity': activity,
  '0006-patterns': patterns,
  '0007-lead-scores': leadScores,
  '0008-lead-shadow-scores': leadShadowScores,
};

export const migrationNames: readonly string[] = Object.keys(migrations);

/** Where Kysely writes down what has been done. */
export const migrationTableName = 'presage_migrations';

/** The tables that a migration makes, each with the columns that it has then. */
export function tablesMadeBy(migration: string): [table: string, columns: readonly string[]][] {
  return Object.entries(migrations[migration]?.creates ?? {});
}

export interface MigrationStatus {
  name: string;
  executedAt: Date | undefined;
}

/** A table stands where one of ours belongs, and it is not ours. */
export class ForeignTableError extends Error {
  constructor(table: string, missing: readonly string[]) {
    super(
      `The table ${table} exists already, was not made by Presage and lacks the columns ${missing.join(', ')}. ` +
        'Rename it, or give Presage a database of its own (DATABASE_URL or DB_NAME).',
    );
    this.name = 'ForeignTableError';
  }
}

/**
 * Brings the schema to the newest version. Idempotent; several may run at once (Kysely takes a lock).
 * Answers the names of the migrations that it ran.
 *
 * @throws ForeignTableError before anything is changed
 */
export async function migrateUp(db: Kysely<Tables>): Promise<string[]> {
  const migrator = createMigrator(db);
  await refuseForeignTables(db, await migrator.getMigrations());
  return outcomeOf(await migrator.migrateToLatest());
}

/** Takes the newest migration back, with its data. */
export async function migrateDown(db: Kysely<Tables>): Promise<string[]> {
  return outcomeOf(await createMigrator(db).migrateDown());
}

export async function migrationStatus(db: Kysely<Tables>): Promise<MigrationStatus[]> {
  const known = await createMigrator(db).getMigrations();
  return known.map(({ name, executedAt }) => ({ name, executedAt }));
}

function createMigrator(db: Kysely<Tables>): Migrator {
  return new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
    migrationTableName,
    migrationLockTableName: 'presage_migrations_lock',
  });
}

type Outcome = Awaited<ReturnType<Migrator['migrateToLatest']>>;

function outcomeOf({ error, results }: Outcome): string[] {
  if (error !== undefined) throw error;
  return (results ?? [])
    .filter((result) => result.status === 'Success')
    .map((result) => result.migrationName);
}

async function refuseForeignTables(
  db: Kysely<Tables>,
  known: readonly { name: string; executedAt?: Date | undefined }[],
): Promise<void> {
  const present = await readColumns(db);
  for (const { name, executedAt } of known) {
    if (executedAt) continue;
    for (const [table, columns] of tablesMadeBy(name)) {
      const missing = columns.filter((column) => !present.get(table)?.has(column));
      if (present.has(table) && missing.length > 0) throw new ForeignTableError(table, missing);
    }
  }
}
