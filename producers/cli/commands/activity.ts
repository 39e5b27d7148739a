import type { Command } from 'commander';
import { insertActivity } from '../../../shared/activity/insert-activity.ts';
import { importActivity, type ActivityReport } from '../activity/import-activity.ts';
import type { CliContext } from '../cli-context.ts';
import { importFile } from '../csv/import-file.ts';

interface ImportFlags {
  json?: boolean;
}

export function addActivityCommand(program: Command, context: CliContext): void {
  program
    .command('activity')
    .description('what users did')
    .command('import')
    .description(
      'load a CSV of events; bad lines are counted and named, good ones kept. Loading the same file again adds nothing',
    )
    .argument(
      '<file>',
      'CSV with the columns user_id, activity_type, occurred_at and optionally timezone, event_id',
    )
    .option('--json', 'print one JSON document')
    .action((file: string, { json = false }: ImportFlags) =>
      importFile<ActivityReport>(
        {
          file,
          json,
          noun: 'events',
          importFrom: (source, db) =>
            importActivity({ ...source, insert: (rows) => insertActivity(db, rows) }),
          describe: ({ accepted, duplicates }) => `${accepted} imported, ${duplicates} known already`,
        },
        context,
      ),
    );
}
