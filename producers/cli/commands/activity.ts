import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { insertActivity } from '../../../shared/activity/insert-activity.ts';
import { databaseSettings } from '../../../shared/config/database-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import { importActivity, type ImportReport } from '../activity/import-activity.ts';
import { writeJson, type CliContext } from '../cli-context.ts';
import { CommandFailed } from '../usage-error.ts';

interface ImportFlags {
  json?: true;
}

const columnsShown = 10;
/** A batch may wait for its turn behind others; an outage is noticed by the connection. */
const queryTimeoutMs = 60_000;

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
    .action((file: string, flags: ImportFlags) => importFile(file, flags, context));
}

async function importFile(file: string, { json }: ImportFlags, context: CliContext): Promise<void> {
  const { output, messages, workingDirectory } = context;
  const path = resolve(workingDirectory, file);
  const name = basename(file);
  const bytes = await sizeOf(path, name);
  const { database: settings } = readSettings({ database: databaseSettings }, context.environment);
  await using database = openDatabase(settings, { queryTimeoutMs });
  const bar = messages.isTTY ? startBar(messages, bytes) : undefined;
  const report = await importActivity({
    path,
    name,
    insert: (rows) => insertActivity(database.db, rows),
    warnOfColumns: (columns) => messages.write(columnWarning(name, columns)),
    progress: (read, { accepted, duplicates, bad }) =>
      bar?.update(Math.min(read, bytes), { events: accepted + duplicates, bad }),
  })
    .catch(explainOutage)
    .finally(() => bar?.stop());
  if (json) writeJson(output, report);
  else output.write(describe(name, report));
  if (report.accepted + report.duplicates === 0) {
    throw new CommandFailed(`Nothing could be imported from ${name}.`);
  }
}

async function sizeOf(path: string, name: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new CommandFailed(`There is no file ${name} at ${path}.`);
  return found.size;
}

function columnWarning(name: string, columns: readonly string[]): string {
  const shown = columns.slice(0, columnsShown).map((column) => JSON.stringify(column));
  const more = columns.length > shown.length ? ` and ${columns.length - shown.length} more` : '';
  return `Columns of ${name} that mean nothing here are left out: ${shown.join(', ')}${more}.\n`;
}

function explainOutage(error: unknown): never {
  if (!(error instanceof StoreUnavailableError)) throw error;
  throw new CommandFailed(
    `${error.message}. Run it again when it does: what has been imported is not imported twice.`,
    { cause: error },
  );
}

function startBar(stream: NodeJS.WritableStream, bytes: number): SingleBar {
  const format = '{bar} {percentage}% {events} events, {bad} bad lines, {duration_formatted}';
  const bar = new SingleBar({ format, stream, hideCursor: true }, Presets.shades_classic);
  bar.start(bytes, 0, { events: 0, bad: 0 });
  return bar;
}

function describe(
  name: string,
  { lines, accepted, duplicates, bad, bad_lines: shown }: ImportReport,
): string {
  const text = [`${name}: ${lines} lines, ${accepted} imported, ${duplicates} known already, ${bad} bad`];
  text.push(...shown.map(({ line, message }) => `  line ${line}: ${message}`));
  if (bad > shown.length) text.push(`  and ${bad - shown.length} more bad lines`);
  return `${text.join('\n')}\n`;
}
