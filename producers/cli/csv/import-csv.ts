import { createReadStream } from 'node:fs';
import { CommandFailed } from '../usage-error.ts';
import { readLines } from './read-lines.ts';
import { readRecords } from './read-records.ts';

export interface BadLine {
  line: number;
  message: string;
}

/** What became of a file's lines; the first line and empty ones do not count. */
export interface LineReport {
  lines: number;
  bad: number;
  /** The first of the bad lines. */
  bad_lines: BadLine[];
}

/** Makes a row of a line's fields, or says what is wrong with them. */
export type CheckLine<Row> = (fields: readonly string[]) => { row: Row } | { problem: { message: string } };

/** A CSV that is being imported. */
export interface CsvSource {
  path: string;
  /** What messages call the file. */
  name: string;
  /** To be told of the columns that mean nothing here, if there are any. */
  warnOfUnknown: (columns: readonly string[]) => void;
  progress: (bytesRead: number, report: Readonly<LineReport>) => void;
}

export interface CsvImport<Row> extends Omit<CsvSource, 'warnOfUnknown'> {
  /** Makes the check of the lines under a first line. Throws CommandFailed when that lacks a column. */
  createCheck: (header: readonly string[]) => CheckLine<Row>;
  /** Writes the rows of good lines, in the order of the file. */
  write: (rows: readonly Row[]) => Promise<void>;
  /** How many writes may be under way while the next lines are read. With one, the order of the file is kept. */
  writesUnderWay: number;
}

const badLinesShown = 20;
const rowsPerWrite = 5_000;
const chunkBytes = 256 * 1024;
const firstMark = '\u{feff}';

/**
 * Reads a CSV and writes what its lines say, holding a few thousand of them at a time. Bad lines are counted and left
 * out.
 *
 * @throws CommandFailed when the file cannot be read or lacks a column; what `write` throws
 */
export async function importCsv<Row>(options: CsvImport<Row>): Promise<LineReport> {
  const report: LineReport = { lines: 0, bad: 0, bad_lines: [] };
  const underWay = new Set<Promise<void>>();
  let rows: Row[] = [];

  function begin(): void {
    // One that failed stays, so that whoever waits next hears of it; nobody waits while the next lines are read.
    const writing = options.write(rows).then(() => void underWay.delete(writing));
    writing.catch(() => undefined);
    underWay.add(writing);
    rows = [];
  }

  async function beginWhenFree(): Promise<void> {
    if (underWay.size >= options.writesUnderWay) await Promise.race(underWay);
    begin();
  }

  const bytes = createReadStream(options.path, { highWaterMark: chunkBytes });
  let check: CheckLine<Row> | undefined;
  try {
    for await (const { line, fields } of readRecords(readLines(bytes))) {
      if (!check) {
        check = options.createCheck(headerOf(fields, options.name));
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
      if (rows.length < rowsPerWrite) continue;
      await beginWhenFree();
      options.progress(bytes.bytesRead, report);
    }
    if (rows.length > 0) await beginWhenFree();
    await Promise.all(underWay);
  } catch (error) {
    await Promise.allSettled(underWay);
    throw isFileError(error) ? new CommandFailed(`${options.name} cannot be read: ${error.code}.`) : error;
  }
  if (!check) throw new CommandFailed(`${options.name} is empty.`);
  options.progress(bytes.bytesRead, report);
  return report;
}

/** The names in the first line, without the mark that some programs put before it. */
function headerOf(fields: readonly string[] | undefined, name: string): string[] {
  if (!fields) throw new CommandFailed(`The first line of ${name} cannot be read as CSV.`);
  const [first = '', ...others] = fields;
  return [first.startsWith(firstMark) ? first.slice(firstMark.length).trim() : first, ...others];
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}
