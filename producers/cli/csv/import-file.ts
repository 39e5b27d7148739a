import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import type { Kysely } from 'kysely';
import { databaseSettings } from '../../../shared/config/database-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import type { Tables } from '../../../shared/database/tables.ts';
import { StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import { writeJson, type CliContext } from '../cli-context.ts';
import { CommandFailed } from '../usage-error.ts';
import type { CsvSource, LineReport } from './import-csv.ts';

export interface FileImport<Report extends LineReport> {
  file: string;
  /** Whether the report is one JSON document. */
  json: boolean;
  /** What the file holds, in the plural. */
  noun: string;
  importFrom: (source: CsvSource, db: Kysely<Tables>) => Promise<Report>;
  /** What became of the good lines, in words. */
  describe: (report: Report) => string;
}

const columnsShown = 10;
/** A batch may wait for its turn behind others; an outage is noticed by the connection. */
const queryTimeoutMs = 60_000;

/**
 * Imports a file with a progress bar and tells what became of it.
 *
 * @throws CommandFailed, ConfigurationError
 */
export async function importFile<Report extends LineReport>(
  { file, json, noun, importFrom, describe }: FileImport<Report>,
  { output, messages, workingDirectory, environment }: CliContext,
): Promise<void> {
  const path = resolve(workingDirectory, file);
  const name = basename(file);
  const bytes = await sizeOf(path, name);
  const { database: settings } = readSettings({ database: databaseSettings }, environment);
  await using database = openDatabase(settings, { queryTimeoutMs });
  const bar = messages.isTTY ? startBar(messages, { bytes, noun }) : undefined;
  const source: CsvSource = {
    path,
    name,
    warnOfUnknown(columns) {
      if (columns.length > 0) messages.write(columnWarning(name, columns));
    },
    progress: (read, { lines, bad }) => bar?.update(Math.min(read, bytes), { good: lines - bad, bad }),
  };
  const report = await importFrom(source, database.db)
    .catch(explainOutage)
    .finally(() => bar?.stop());
  if (json) writeJson(output, report);
  else output.write(inWords(name, describe(report), report));
  if (report.lines === report.bad) throw new CommandFailed(`Nothing could be imported from ${name}.`);
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

function startBar(
  stream: NodeJS.WritableStream,
  { bytes, noun }: { bytes: number; noun: string },
): SingleBar {
  const format = `{bar} {percentage}% {good} ${noun}, {bad} bad lines, {duration_formatted}`;
  const bar = new SingleBar({ format, stream, hideCursor: true }, Presets.shades_classic);
  bar.start(bytes, 0, { good: 0, bad: 0 });
  return bar;
}

function inWords(name: string, outcome: string, { lines, bad, bad_lines: shown }: LineReport): string {
  const text = [`${name}: ${lines} lines, ${outcome}, ${bad} bad`];
  text.push(...shown.map(({ line, message }) => `  line ${line}: ${message}`));
  if (bad > shown.length) text.push(`  and ${bad - shown.length} more bad lines`);
  return `${text.join('\n')}\n`;
}
