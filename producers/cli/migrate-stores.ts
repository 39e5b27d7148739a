import { setTimeout as delay } from 'node:timers/promises';
import { awsSettings, type AwsSettings } from '../../shared/config/aws-settings.ts';
import { databaseSettings } from '../../shared/config/database-settings.ts';
import { dynamodbSettings } from '../../shared/config/dynamodb-settings.ts';
import { modelSettings, type ArtifactSettings } from '../../shared/config/model-settings.ts';
import { readSettings, type Environment } from '../../shared/config/read-settings.ts';
import {
  ForeignTableError,
  migrateUp,
  NewerSchemaError,
  TableInUseError,
} from '../../shared/database/migrate.ts';
import { openDatabase } from '../../shared/database/open-database.ts';
import { ForeignDynamodbTableError, prepareTables } from '../../shared/dynamodb/prepare-tables.ts';
import { StoreUnavailableError } from '../../shared/errors/job-error.ts';
import { openArtifactStore } from '../../shared/models/open-artifact-store.ts';
import { CommandFailed } from './usage-error.ts';

/** An emulator in a container is still starting when this is run beside it. */
const answersWithinMs = 10_000;
const tryAgainAfterMs = 500;

/** An index over a large table takes its time, and who comes second waits for who is first. */
const statementTimeoutMs = 6 * 60 * 60_000;

export interface MigratedStores {
  /** MySQL migrations that were run. */
  migrations: string[];
  /** DynamoDB tables that were made; undefined when the environment says nothing about DynamoDB. */
  tables: string[] | undefined;
  /** The bucket or the folder of artifacts, if it was made. */
  artifacts: string | undefined;
}

/**
 * Brings every store up to date. Idempotent; several may run at once.
 *
 * @throws ConfigurationError, CommandFailed where the schema cannot be brought up to date, StoreUnavailableError
 */
export async function migrateStores(environment: Environment): Promise<MigratedStores> {
  const { database, dynamodb, aws, model } = readSettings(
    { database: databaseSettings, dynamodb: dynamodbSettings, aws: awsSettings, model: modelSettings },
    environment,
  );
  await using mysql = openDatabase(database, { queryTimeoutMs: statementTimeoutMs });
  try {
    const migrations = await migrateUp(mysql.db);
    const tables = dynamodb.isConfigured
      ? await onceItAnswers(() => prepareTables({ ...dynamodb, ...aws }))
      : undefined;
    const artifacts = model.artifacts && (await prepareArtifacts(model.artifacts, aws));
    return { migrations, tables, artifacts };
  } catch (error) {
    const isExplained = [
      ForeignTableError,
      ForeignDynamodbTableError,
      NewerSchemaError,
      TableInUseError,
    ].some((kind) => error instanceof kind);
    throw isExplained && error instanceof Error ? new CommandFailed(error.message, { cause: error }) : error;
  }
}

/** Answers the address of what was made. */
async function prepareArtifacts(settings: ArtifactSettings, aws: AwsSettings): Promise<string | undefined> {
  using store = await openArtifactStore(settings, aws);
  return (await onceItAnswers(() => store.prepare())) ? store.url : undefined;
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
