import { csvColumns, type CsvColumns } from '../csv/csv-columns.ts';

const required = ['user_id', 'activity_type', 'occurred_at'] as const;
const optional = ['timezone', 'event_id'] as const;

type Column = (typeof required)[number] | (typeof optional)[number];

export type ActivityColumns = CsvColumns<Column>;

/**
 * Finds the columns of activity in the first line of a CSV.
 *
 * @throws CommandFailed that names what is missing or there twice
 */
export function activityColumns(header: readonly string[], file: string): ActivityColumns {
  return csvColumns<Column>({ fields: header, file }, { required, optional });
}
