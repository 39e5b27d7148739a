import { createReadStream } from 'node:fs';
import type { ActivityEvent } from '../../../shared/patterns/activity-log.ts';
import { isActivityName } from '../../../shared/patterns/pattern.ts';
import { createTimezoneNames } from '../../../shared/timezone/timezone-names.ts';
import { activityColumns, type ActivityColumns } from '../activity/activity-columns.ts';
import { createLocalTime } from '../activity/local-time.ts';
import { parseOccurredAt } from '../activity/parse-occurred-at.ts';
import { readLines } from '../csv/read-lines.ts';
import { readRecords } from '../csv/read-records.ts';
import { CommandFailed } from '../usage-error.ts';

export interface LogLines {
  read: number;
  bad: number;
  /** The first of the bad lines, by number, with the reason. */
  bad_lines: { line: number; message: string }[];
}

export interface ReadLog {
  events: ReadonlyMap<string, readonly ActivityEvent[]>;
  lines: LogLines;
}

export interface ReadLogOptions {
  path: string;
  /** What messages call the file. */
  name: string;
  /** The clock of lines that name none. */
  timezone: string;
  progress: (bytesRead: number) => void;
}

type Checked = { user: string; event: ActivityEvent } | { message: string };
type CheckLine = (fields: readonly string[]) => Checked;

const badLinesShown = 20;
const linesPerProgress = 10_000;
const longestUserId = 128;
const firstMark = '\u{feff}';

/**
 * Reads a CSV of events, user by user; bad lines are counted and left out.
 *
 * @throws CommandFailed when the file cannot be read or lacks a column
 */
export async function readLog(options: ReadLogOptions): Promise<ReadLog> {
  const { path, name, progress } = options;
  const events = new Map<string, ActivityEvent[]>();
  const lines: LogLines = { read: 0, bad: 0, bad_lines: [] };
  const bytes = createReadStream(path, { highWaterMark: 256 * 1024 });
  let check: CheckLine | undefined;
  try {
    for await (const { line, fields } of readRecords(readLines(bytes))) {
      if (!check) {
        check = createCheck(columnsOf(fields, name), options.timezone);
        continue;
      }
      lines.read += 1;
      if (lines.read % linesPerProgress === 0) progress(bytes.bytesRead);
      const checked: Checked = fields ? check(fields) : { message: 'cannot be read as CSV' };
      if ('message' in checked) {
        lines.bad += 1;
        if (lines.bad <= badLinesShown) lines.bad_lines.push({ line, message: checked.message });
        continue;
      }
      const known = events.get(checked.user);
      if (known) known.push(checked.event);
      else events.set(checked.user, [checked.event]);
    }
  } catch (error) {
    throw isFileError(error) ? new CommandFailed(`${name} cannot be read: ${error.code}.`) : error;
  }
  if (!check) throw new CommandFailed(`${name} is empty.`);
  progress(bytes.bytesRead);
  return { events, lines };
}

function columnsOf(header: readonly string[] | undefined, name: string): ActivityColumns {
  if (!header) throw new CommandFailed(`The first line of ${name} cannot be read as CSV.`);
  const [first = '', ...others] = header;
  return activityColumns([first.startsWith(firstMark) ? first.slice(1).trim() : first, ...others], name);
}

function createCheck(columns: ActivityColumns, defaultTimezone: string): CheckLine {
  const isTimezone = createTimezoneNames();
  const instantOfLocalTime = createLocalTime();
  const only = createOnlyCopy();

  return (fields) => {
    if (fields.length > columns.count) return { message: `must have ${columns.count} fields` };
    const user = columns.fieldOf(fields, 'user_id');
    if (user === '' || user.length > longestUserId)
      return { message: 'user_id: must have 1 to 128 characters' };
    const activityType = columns.fieldOf(fields, 'activity_type');
    if (!isActivityName(activityType)) return { message: 'activity_type: must have 1 to 128 characters' };
    const timezone = columns.fieldOf(fields, 'timezone') || defaultTimezone;
    if (!isTimezone(timezone))
      return { message: 'timezone: must be an IANA name, for example Europe/Berlin' };
    const occurredAtMs = parseOccurredAt(
      columns.fieldOf(fields, 'occurred_at'),
      timezone,
      instantOfLocalTime,
    );
    if (occurredAtMs === undefined) return { message: 'occurred_at: must be an ISO date and time' };
    return {
      user: only(user),
      event: { activityType: only(activityType), occurredAtMs, timezone: only(timezone) },
    };
  };
}

/** One copy of each text: a cut-out of a line would keep all that was read with the line in memory. */
function createOnlyCopy(): (text: string) => string {
  const copies = new Map<string, string>();
  return (text) => {
    const known = copies.get(text);
    if (known !== undefined) return known;
    const copy = Buffer.from(text).toString();
    copies.set(copy, copy);
    return copy;
  };
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}
