import type { LeadsTable } from '../../../shared/database/leads-table.ts';
import { isLeadId, leadIdRule } from '../../../shared/leads/lead-id.ts';
import type { FeatureColumn } from '../../../shared/models/feature-column.ts';
import type { CsvColumns } from '../csv/csv-columns.ts';
import type { CheckLine } from '../csv/import-csv.ts';

/** What JSON calls a number. */
const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i;

/**
 * Makes the check of a file's lines. Of the features only those are kept that the line has, numbers as numbers. What
 * stands in for a value that the model cannot use is not decided here: the lead keeps it as it came.
 */
export function createLeadLineCheck(
  columns: CsvColumns<string>,
  features: readonly Pick<FeatureColumn, 'name' | 'type'>[],
  updatedAt: Date,
): CheckLine<LeadsTable> {
  return (fields) => {
    if (fields.length !== columns.count) {
      return { problem: { message: `must have ${columns.count} fields, as the first line has` } };
    }
    const leadId = columns.fieldOf(fields, 'lead_id');
    if (!isLeadId(leadId)) return { problem: { message: `lead_id: ${leadIdRule}` } };
    const known: [string, string | number][] = [];
    for (const { name, type } of features) {
      const text = columns.fieldOf(fields, name);
      if (text !== '') known.push([name, type === 'numeric' ? numberOrText(text) : text]);
    }
    return {
      row: {
        lead_id: leadId,
        features: JSON.stringify(Object.fromEntries(known)),
        updated_at: updatedAt,
      },
    };
  };
}

function numberOrText(text: string): string | number {
  const number = jsonNumber.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : text;
}
