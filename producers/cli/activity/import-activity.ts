import type { ActivityRow } from '../../../shared/activity/activity-event.ts';
import { importCsv, type CsvSource, type LineReport } from '../csv/import-csv.ts';
import { activityColumns } from './activity-columns.ts';
import { createActivityLineCheck } from './check-activity-line.ts';

export interface ActivityReport extends LineReport {
  accepted: number;
  duplicates: number;
}

export interface ActivityImportOptions extends CsvSource {
  /** Writes events into the log, each once; answers how many are new. */
  insert: (rows: readonly ActivityRow[]) => Promise<number>;
}

/** While one batch is read, others are written. */
const insertsUnderWay = 2;

/**
 * Reads a CSV into the log.
 *
 * @throws CommandFailed when the file cannot be read or lacks a column; StoreUnavailableError
 */
export async function importActivity(options: ActivityImportOptions): Promise<ActivityReport> {
  let [accepted, duplicates] = [0, 0];
  const { lines, bad, bad_lines } = await importCsv<ActivityRow>({
    ...options,
    createCheck(header) {
      const columns = activityColumns(header, options.name);
      options.warnOfUnknown(columns.unknown);
      return createActivityLineCheck(columns, Date.now());
    },
    async write(rows) {
      const inserted = await options.insert(rows);
      accepted += inserted;
      duplicates += rows.length - inserted;
    },
    writesUnderWay: insertsUnderWay,
  });
  return { lines, accepted, duplicates, bad, bad_lines };
}
