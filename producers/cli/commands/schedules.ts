import type { Command } from 'commander';
import { Cron } from 'croner';
import { allSchedules } from '../../../shared/contracts/all-schedules.ts';
import { lastTick } from '../../../shared/ledger/last-tick.ts';
import { withClients, writeJson, type CliContext } from '../cli-context.ts';
import { formatTable } from '../format-table.ts';

export function addSchedulesCommand(program: Command, context: CliContext): void {
  program
    .command('schedules')
    .description('look at what is due again and again')
    .command('list', { isDefault: true })
    .description('every schedule with its last and its next tick')
    .option('--json', 'print one JSON document')
    .action((flags: { json?: true }) =>
      withClients(context, async ({ database }) => {
        const schedules = await Promise.all(
          allSchedules.map(async ({ name, cron, timezone, contract }) => ({
            schedule: name,
            cron,
            timezone,
            queue: contract.name,
            last_tick: (await lastTick(database.db, name))?.toISOString() ?? null,
            next_tick: new Cron(cron, { timezone, paused: true }).nextRun()?.toISOString() ?? null,
          })),
        );
        if (flags.json) writeJson(context.output, { schedules });
        else if (schedules.length === 0) context.output.write('There is no schedule yet.\n');
        else {
          context.output.write(
            formatTable(
              ['SCHEDULE', 'CRON', 'TIMEZONE', 'QUEUE', 'LAST', 'NEXT'],
              schedules.map((schedule) => Object.values(schedule).map((value) => value ?? '')),
            ),
          );
        }
      }),
    );
}
