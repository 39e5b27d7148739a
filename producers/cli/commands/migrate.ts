import { Argument, type Command } from 'commander';
import { databaseSettings } from '../../../shared/config/database-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import {
  ForeignTableError,
  migrateDown,
  migrateUp,
  migrationStatus,
} from '../../../shared/database/migrate.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { writeJson, type CliContext } from '../cli-context.ts';
import { CommandFailed } from '../usage-error.ts';

type Direction = 'up' | 'down' | 'status';

export function addMigrateCommand(program: Command, context: CliContext): void {
  program
    .command('migrate')
    .description(
      'bring the MySQL schema up to date (up), take the newest migration back (down), or show it (status)',
    )
    .addArgument(new Argument('[direction]').choices(['up', 'down', 'status']).default('up'))
    .option('--json', 'print one JSON document')
    .action(async (direction: Direction, flags: { json?: true }) => {
      const { database: settings } = readSettings({ database: databaseSettings }, context.environment);
      await using database = openDatabase(settings);
      const { db } = database;
      if (direction === 'status') {
        const migrations = await migrationStatus(db);
        if (flags.json) {
          writeJson(context.output, {
            migrations: migrations.map(({ name, executedAt }) => ({
              name,
              executed_at: executedAt?.toISOString() ?? null,
            })),
          });
          return;
        }
        for (const { name, executedAt } of migrations) {
          context.output.write(`${name}  ${executedAt?.toISOString() ?? 'pending'}\n`);
        }
        return;
      }
      try {
        const executed = await (direction === 'up' ? migrateUp(db) : migrateDown(db));
        if (flags.json) writeJson(context.output, { [direction]: executed });
        else
          context.output.write(
            executed.length > 0 ? `${direction}: ${executed.join(', ')}\n` : 'nothing to do\n',
          );
      } catch (error) {
        throw error instanceof ForeignTableError ? new CommandFailed(error.message) : error;
      }
    });
}
