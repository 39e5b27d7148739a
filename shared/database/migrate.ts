import { setTimeout as delay } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import * as jobs from '../../migrations/0001-jobs.ts';
import * as callTimePredictions from '../../migrations/0002-call-time-predictions.ts';
import * as idempotencyKeys from '../../migrations/0003-idempotency-keys.ts';
import * as llmCalls from '../../migrations/0004-llm-calls.ts';
import * as activity from '../../migrations/0005-activity.ts';
import * as patterns from '../../migrations/0006-patterns.ts';
import * as leadScores from '../../migrations/0007-lead-scores.ts';
import * as leadShadowScores from '../../migrations/0008-lead-shadow-scores.ts';
import * as payloadVersion from '../../migrations/0009-payload-version.ts';
import { errorCode } from '../errors/classify.ts';
import { readColumns } from './read-columns.ts';
import type { Tables } from './tables.ts';

export interface FleetMigration extends Migration {
  /** The tables that it makes, with their columns. */
  creates: Readonly<Record<string, readonly string[]>>;
  /** Of one that takes something away: the version of Presage since which nobody uses it. */
  contractsSince?: string;
}

/** So long does everybody wait behind a change that waits for a table … */
const longestLockWaitSeconds = 2;
/** … and then goes on for so long, before it is tried again, so often. */
const pauseBetweenLocksMs = 1_000;
const lockAttempts = 60;

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
  '0009-payload-version': payloadVersion,
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

/** A newer version of the fleet has run migrations of which this one knows nothing. */
export class NewerSchemaError extends Error {
  constructor(unknown: readonly string[], instead: string) {
    super(`A newer version of Presage has run migrations here: ${unknown.join(', ')}. ${instead}`);
    this.name = 'NewerSchemaError';
  }
}

/** Others were at work on a table all the time, so that it could not be changed. */
export class TableInUseError extends Error {
  constructor(cause: unknown) {
    const message =
      'A table could not be changed, because long transactions kept it in use. Nothing is half done: ' +
      'run `presage migrate up` again, when there are fewer.';
    super(message, { cause });
    this.name = 'TableInUseError';
  }
}

/**
 * Brings the schema to the newest version that this version of the fleet knows. Idempotent; several may run at once
 * (Kysely takes a lock). A schema that is newer still is left as it is: older processes run on it. Answers the names of
 * the migrations that it ran.
 *
 * @throws ForeignTableError, NewerSchemaError before anything is changed; TableInUseError
 */
export async function migrateUp(db: Kysely<Tables>): Promise<string[]> {
  const known = await migrationStatus(db);
  const unknown = await unknownMigrations(db);
  if (unknown.length > 0) {
    const pending = known.filter(({ executedAt }) => !executedAt).map(({ name }) => name);
    if (pending.length === 0) return [];
    throw new NewerSchemaError(
      unknown,
      `This version has others: ${pending.join(', ')}. Run \`presage migrate up\` of the newest version instead.`,
    );
  }
  await refuseForeignTables(db, known);
  return onceUnlocked(db, async (connection) =>
    outcomeOf(await createMigrator(connection).migrateToLatest()),
  );
}

/** Runs changes of tables, and runs them again when others were at work on a table. */
function onceUnlocked(
  db: Kysely<Tables>,
  change: (connection: Kysely<Tables>) => Promise<string[]>,
): Promise<string[]> {
  return db.connection().execute(async (connection) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // While a change waits for a table, everybody else waits behind it.
        await sql`set session lock_wait_timeout = ${sql.lit(longestLockWaitSeconds)}`.execute(connection);
        return await change(connection);
      } catch (error) {
        if (errorCode(error) !== 'ER_LOCK_WAIT_TIMEOUT') throw error;
        if (attempt === lockAttempts) throw new TableInUseError(error);
      } finally {
        await sql`set session lock_wait_timeout = default`.execute(connection);
      }
      await delay(pauseBetweenLocksMs);
    }
  });
}

/**
 * Takes the newest migration back, with its data.
 *
 * @throws NewerSchemaError before anything is changed; TableInUseError
 */
export async function migrateDown(db: Kysely<Tables>): Promise<string[]> {
  const unknown = await unknownMigrations(db);
  if (unknown.length > 0)
    throw new NewerSchemaError(
      unknown,
      'Only that version can take them back, and older versions run on them.',
    );
  return onceUnlocked(db, async (connection) => outcomeOf(await createMigrator(connection).migrateDown()));
}

export async function migrationStatus(db: Kysely<Tables>): Promise<MigrationStatus[]> {
  const known = await createMigrator(db).getMigrations();
  return known.map(({ name, executedAt }) => ({ name, executedAt }));
}

/** The migrations that a newer version of the fleet has run here. */
export async function unknownMigrations(db: Kysely<Tables>): Promise<string[]> {
  const present = await readColumns(db);
  if (!present.has(migrationTableName)) return [];
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(migrationTableName)}`.execute(db);
  return rows.map(({ name }) => name).filter((name) => !(name in migrations));
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
