import type { LeadsTable } from '../../../shared/database/leads-table.ts';
import type { FeatureColumn } from '../../../shared/models/feature-column.ts';
import { csvColumns } from '../csv/csv-columns.ts';
import { importCsv, type CsvSource, type LineReport } from '../csv/import-csv.ts';
import { CommandFailed } from '../usage-error.ts';
import { createLeadLineCheck } from './check-lead-line.ts';

export interface LeadReport extends LineReport {
  accepted: number;
}

export interface LeadImportOptions extends CsvSource {
  /** The columns of the model. */
  features: readonly Pick<FeatureColumn, 'name' | 'type'>[];
  /** Writes leads in place of what was known of them. */
  write: (leads: readonly LeadsTable[]) => Promise<void>;
  /** To be told of the columns of the model that the file lacks, if there are any. */
  warnOfMissing: (columns: readonly string[]) => void;
}

/**
 * Reads a CSV of leads. Of two lines about the same lead the later one counts.
 *
 * @throws CommandFailed when the file cannot be read, or has no column lead_id or none of the model's;
 *   StoreUnavailableError
 */
export async function importLeads(options: LeadImportOptions): Promise<LeadReport> {
  const { features, name: file } = options;
  const { lines, bad, bad_lines } = await importCsv<LeadsTable>({
    ...options,
    createCheck(header) {
      const names = features.map(({ name }) => name);
      const columns = csvColumns({ fields: header, file }, { required: ['lead_id'], optional: names });
      if (columns.missing.length === names.length) {
        throw new CommandFailed(`${file} has none of the model's columns: ${names.join(', ')}.`);
      }
      options.warnOfUnknown(columns.unknown);
      options.warnOfMissing(columns.missing);
      return createLeadLineCheck(columns, features, new Date());
    },
    writesUnderWay: 1,
  });
  return { lines, accepted: lines - bad, bad, bad_lines };
}
