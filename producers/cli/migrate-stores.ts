import { setTimeout as delay } from 'node:timers/promises';
import { awsSettings } from '../../shared/config/aws-settings.ts';
import { databaseSettings } from '../../shared/config/database-settings.ts';
import { dynamodbSettings } from '../../shared/config/dynamodb-settings.ts';
import { readSettings, type Environment } from '../../shared/config/read-settings.ts';
import { ForeignTableError, migrateUp } from '../../shared/database/migrate.ts';
import { openDatabase } from '../../shared/database/open-database.ts';
import { ForeignDynamodbTableError, prepareTables } from '../../shared/dynamodb/prepare-tables.ts';
import { StoreUnavailableError } from '../../shared/errors/job-error.ts';
import { CommandFailed } from './usage-error.ts';

/** An emulator in a container is still starting when this is run beside it. */
const answersWithinMs = 10_000;
const tryAgainAfterMs = 500;

export interface MigratedStores {
  /** MySQL migrations that were run. */
  migrations: string[];
  /** DynamoDB tables that were made; undefined when the environment says nothing about DynamoDB. */
  tables: string[] | undefined;
}

/**
 * Brings every store up to date. Idempotent; several may run at once.
 *
 * @throws ConfigurationError, CommandFailed for a table that is not ours, StoreUnavailableError
 */
export async function migrateStores(environment: Environment): Promise<MigratedStores> {
  const { database, dynamodb, aws } = readSettings(
    { database: databaseSettings, dynamodb: dynamodbSettings, aws: awsSettings },
    environment,
  );
  await using mysql = openDatabase(database);
  try {
    const migrations = await migrateUp(mysql.db);
    const tables = dynamodb.isConfigured
      ? await onceItAnswers(() => prepareTables({ ...dynamodb, ...aws }))
      : undefined;
    return { migrations, tables };
  } catch (error) {
    const isForeign = error instanceof ForeignTableError || error instanceof ForeignDynamodbTableError;
    throw isForeign ? new CommandFailed(error.message, { cause: error }) : error;
  }
}

async function onceItAnswers<Result>(work: () => Promise<Result>): Promise<Result> {
  for (const giveUpAtMs = performance.now() + answersWithinMs; ;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() >= giveUpAtMs) throw error;
      await delay(tryAgainAfterMs);
    }
  }
}
