import { createReadStream } from 'node:fs';
import type { ActivityRow } from '../../../shared/activity/activity-event.ts';
import { CommandFailed } from '../usage-error.ts';
import { activityColumns } from './activity-columns.ts';
import { createActivityLineCheck, type CheckActivityLine } from './check-activity-line.ts';
import { readLines } from './read-lines.ts';
import { readRecords } from './read-records.ts';

export interface BadLine {
  line: number;
  message: string;
}

/** What became of a file's lines; the first line and empty ones do not count. */
export interface ImportReport {
  lines: number;
  accepted: number;
  duplicates: number;
  bad: number;
  /** The first of the bad lines. */
  bad_lines: BadLine[];
}

export interface ImportOptions {
  path: string;
  /** What messages call the file. */
  name: string;
  /** Writes events into the log, each once; answers how many are new. */
  insert: (rows: readonly ActivityRow[]) => Promise<number>;
  /** Told once, of columns that mean nothing here. */
  warnOfColumns: (columns: readonly string[]) => void;
  progress: (bytesRead: number, report: Readonly<ImportReport>) => void;
}

const badLinesShown = 20;
const rowsPerInsert = 5_000;
/** While one batch is read, others are written. */
const insertsUnderWay = 2;
const chunkBytes = 256 * 1024;
const firstMark = '\u{feff}';

/**
 * Reads a CSV into the log, holding a few thousand lines at a time. Bad lines are counted and left out.
 *
 * @throws CommandFailed when the file cannot be read or lacks a column; StoreUnavailableError
 */
export async function importActivity(options: ImportOptions): Promise<ImportReport> {
  const report: ImportReport = { lines: 0, accepted: 0, duplicates: 0, bad: 0, bad_lines: [] };
  const underWay = new Set<Promise<void>>();
  let rows: ActivityRow[] = [];

  async function insert(batch: readonly ActivityRow[]): Promise<void> {
    const accepted = await options.insert(batch);
    report.accepted += accepted;
    report.duplicates += batch.length - accepted;
  }

  function begin(): void {
    // One that failed stays, so that whoever waits next hears of it; nobody waits while the next lines are read.
    const inserting = insert(rows).then(() => void underWay.delete(inserting));
    inserting.catch(() => undefined);
    underWay.add(inserting);
    rows = [];
  }

  const bytes = createReadStream(options.path, { highWaterMark: chunkBytes });
  let check: CheckActivityLine | undefined;
  try {
    for await (const { line, fields } of readRecords(readLines(bytes))) {
      if (!check) {
        check = checkFrom(fields, options);
        continue;
      }
      report.lines += 1;
      const checked = fields ? check(fields) : { problem: { message: 'cannot be read as CSV' } };
      if ('row' in checked) {
        rows.push(checked.row);
      } else {
        report.bad += 1;
        if (report.bad <= badLinesShown) report.bad_lines.push({ line, message: checked.problem.message });
      }
      if (rows.length < rowsPerInsert) continue;
      if (underWay.size >= insertsUnderWay) await Promise.race(underWay);
      begin();
      options.progress(bytes.bytesRead, report);
    }
    if (rows.length > 0) begin();
    await Promise.all(underWay);
  } catch (error) {
    await Promise.allSettled(underWay);
    throw isFileError(error) ? new CommandFailed(`${options.name} cannot be read: ${error.code}.`) : error;
  }
  if (!check) throw new CommandFailed(`${options.name} is empty.`);
  options.progress(bytes.bytesRead, report);
  return report;
}

function checkFrom(header: readonly string[] | undefined, options: ImportOptions): CheckActivityLine {
  if (!header) throw new CommandFailed(`The first line of ${options.name} cannot be read as CSV.`);
  const [first = '', ...others] = header;
  const withoutMark = first.startsWith(firstMark) ? first.slice(firstMark.length).trim() : first;
  const columns = activityColumns([withoutMark, ...others], options.name);
  if (columns.unknown.length > 0) options.warnOfColumns(columns.unknown);
  return createActivityLineCheck(columns, Date.now());
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}
