import type { Command } from 'commander';
import { Cron } from 'croner';
import { databaseSettings } from '../../../shared/config/database-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { scheduleSettings } from '../../../shared/config/schedule-settings.ts';
import { allSchedules } from '../../../shared/contracts/all-schedules.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { lastTick } from '../../../shared/ledger/last-tick.ts';
import { writeJson, type CliContext } from '../cli-context.ts';
import { formatTable } from '../format-table.ts';

export function addSchedulesCommand(program: Command, context: CliContext): void {
  program
    .command('schedules')
    .description('look at what is due again and again')
    .command('list', { isDefault: true })
    .description('every schedule with its last and its next tick')
    .option('--json', 'print one JSON document')
    .action(async (flags: { json?: true }) => {
      const settings = readSettings(
        { database: databaseSettings, schedules: scheduleSettings },
        context.environment,
      );
      await using database = openDatabase(settings.database);
      const schedules = await Promise.all(
        allSchedules(settings.schedules).map(async ({ name, cron, timezone, contract }) => ({
          schedule: name,
          cron,
          timezone,
          queue: contract.name,
          last_tick: (await lastTick(database.db, name))?.dueAt.toISOString() ?? null,
          next_tick: new Cron(cron, { timezone, paused: true }).nextRun()?.toISOString() ?? null,
        })),
      );
      if (flags.json) writeJson(context.output, { schedules });
      else {
        context.output.write(
          formatTable(
            ['SCHEDULE', 'CRON', 'TIMEZONE', 'QUEUE', 'LAST', 'NEXT'],
            schedules.map((schedule) => Object.values(schedule).map((value) => value ?? '')),
          ),
        );
      }
    });
}
