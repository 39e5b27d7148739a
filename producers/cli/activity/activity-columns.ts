import { CommandFailed } from '../usage-error.ts';

const required = ['user_id', 'activity_type', 'occurred_at'] as const;
const optional = ['timezone', 'event_id'] as const;
const known: readonly string[] = [...required, ...optional];

type Column = (typeof required)[number] | (typeof optional)[number];

export interface ActivityColumns {
  count: number;
  /** The field of a line that belongs to the column; empty where the line or the file has none. */
  fieldOf(fields: readonly string[], column: Column): string;
  /** Columns that mean nothing here. */
  unknown: readonly string[];
}

/**
 * Finds the columns in the first line of a CSV.
 *
 * @throws CommandFailed that names what is missing or there twice
 */
export function activityColumns(header: readonly string[], file: string): ActivityColumns {
  for (const column of required) {
    if (!header.includes(column)) throw new CommandFailed(`${file} has no column ${column}.`);
  }
  for (const column of known) {
    if (header.indexOf(column) !== header.lastIndexOf(column)) {
      throw new CommandFailed(`${file} has the column ${column} twice.`);
    }
  }
  const places = new Map(header.map((column, place) => [column, place]));
  return {
    count: header.length,
    fieldOf: (fields, column) => fields[places.get(column) ?? -1] ?? '',
    unknown: header.filter((column) => !known.includes(column)),
  };
}
