import { Argument, type Command } from 'commander';
import { awsSettings, type AwsSettings } from '../../../shared/config/aws-settings.ts';
import { databaseSettings } from '../../../shared/config/database-settings.ts';
import { dynamodbSettings } from '../../../shared/config/dynamodb-settings.ts';
import { modelSettings, type ModelSettings } from '../../../shared/config/model-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import {
  migrateDown,
  migrationStatus,
  NewerSchemaError,
  unknownMigrations,
} from '../../../shared/database/migrate.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { tableStatuses } from '../../../shared/dynamodb/prepare-tables.ts';
import { openArtifactStore } from '../../../shared/models/open-artifact-store.ts';
import { writeJson, type CliContext } from '../cli-context.ts';
import { migrateStores } from '../migrate-stores.ts';
import { CommandFailed, UsageError } from '../usage-error.ts';
import { waitForMigrations } from '../wait-for-migrations.ts';

type Direction = 'up' | 'down' | 'status';

interface MigrateFlags {
  json?: true;
  wait?: true;
}

export function addMigrateCommand(program: Command, context: CliContext): void {
  program
    .command('migrate')
    .description(
      'bring the MySQL schema, the DynamoDB tables and the artifact store up to date (up), take the newest MySQL ' +
        'migration back (down), or show all of them (status)',
    )
    .addArgument(new Argument('[direction]').choices(['up', 'down', 'status']).default('up'))
    .option('--json', 'print one JSON document')
    .option('--wait', 'with status: wait first until somebody else has run every MySQL migration')
    .action(async (direction: Direction, flags: MigrateFlags) => {
      if (flags.wait && direction !== 'status') throw new UsageError('--wait goes with status only');
      if (direction === 'up') await up(flags, context);
      else if (direction === 'down') await down(flags, context);
      else await status(flags, context);
    });
}

async function up({ json }: MigrateFlags, { environment, output, messages }: CliContext): Promise<void> {
  const { migrations, tables, artifacts } = await migrateStores(environment);
  if (tables === undefined) {
    messages.write(
      'DynamoDB is not configured, so no table was looked at: set AWS_ENDPOINT_URL_DYNAMODB, DYNAMODB=aws or ' +
        'DYNAMODB_TABLE_NAME.\n',
    );
  }
  const done = [
    ...migrations,
    ...(tables ?? []).map((table) => `DynamoDB table ${table}`),
    ...(artifacts === undefined ? [] : [`artifact store ${artifacts}`]),
  ];
  if (json) writeJson(output, { up: migrations, tables: tables ?? [], artifacts: artifacts ?? null });
  else output.write(done.length > 0 ? `up: ${done.join(', ')}\n` : 'nothing to do\n');
}

/** DynamoDB's tables stay: they hold what products read, and no migration of ours changed them. */
async function down({ json }: MigrateFlags, { environment, output }: CliContext): Promise<void> {
  const { database: settings } = readSettings({ database: databaseSettings }, environment);
  await using database = openDatabase(settings);
  const executed = await migrateDown(database.db).catch((error: unknown) => {
    throw error instanceof NewerSchemaError ? new CommandFailed(error.message, { cause: error }) : error;
  });
  if (json) writeJson(output, { down: executed });
  else output.write(executed.length > 0 ? `down: ${executed.join(', ')}\n` : 'nothing to do\n');
}

async function status(
  { json, wait }: MigrateFlags,
  { environment, output, messages }: CliContext,
): Promise<void> {
  const settings = readSettings(
    { database: databaseSettings, dynamodb: dynamodbSettings, aws: awsSettings, model: modelSettings },
    environment,
  );
  await using database = openDatabase(settings.database);
  if (wait) await waitForMigrations(database.db, messages);
  const migrations = await migrationStatus(database.db);
  const ofNewerVersions = await unknownMigrations(database.db);
  const tables = settings.dynamodb.isConfigured
    ? await tableStatuses({ ...settings.dynamodb, ...settings.aws })
    : [];
  const artifacts = await artifactStatus(settings);
  if (json) {
    writeJson(output, {
      migrations: migrations.map(({ name, executedAt }) => ({
        name,
        executed_at: executedAt?.toISOString() ?? null,
      })),
      of_newer_versions: ofNewerVersions,
      tables: tables.map(({ name, state }) => ({ name, state })),
      artifacts,
    });
    return;
  }
  for (const { name, executedAt } of migrations) {
    output.write(`${name}  ${executedAt?.toISOString() ?? 'pending'}\n`);
  }
  for (const name of ofNewerVersions) output.write(`${name}  run by a newer version\n`);
  for (const { name, state } of tables) output.write(`DynamoDB table ${name}  ${state}\n`);
  if (artifacts) output.write(`artifact store ${artifacts.url}  ${artifacts.state}\n`);
}

async function artifactStatus({ model, aws }: { model: ModelSettings; aws: AwsSettings }) {
  if (!model.artifacts) return null;
  using store = await openArtifactStore(model.artifacts, aws);
  return { url: store.url, state: (await store.exists()) ? 'ready' : 'missing' };
}
