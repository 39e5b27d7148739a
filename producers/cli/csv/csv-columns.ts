import { CommandFailed } from '../usage-error.ts';

export interface CsvColumns<Name extends string> {
  count: number;
  /** The field of a line that belongs to the column; empty where the line or the file has none. */
  fieldOf(fields: readonly string[], column: Name): string;
  /** Those of the optional columns that the file lacks. */
  missing: readonly Name[];
  /** Columns that mean nothing here. */
  unknown: readonly string[];
}

/**
 * Finds columns in the first line of a CSV.
 *
 * @param header.file what messages call the file
 * @throws CommandFailed that names what is missing or there twice
 */
export function csvColumns<Name extends string>(
  { fields: header, file }: { fields: readonly string[]; file: string },
  { required, optional }: { required: readonly Name[]; optional: readonly Name[] },
): CsvColumns<Name> {
  for (const column of required) {
    if (!header.includes(column)) throw new CommandFailed(`${file} has no column ${column}.`);
  }
  const known: readonly string[] = [...required, ...optional];
  for (const column of known) {
    if (header.indexOf(column) !== header.lastIndexOf(column)) {
      throw new CommandFailed(`${file} has the column ${column} twice.`);
    }
  }
  const places = new Map(header.map((column, place) => [column, place]));
  return {
    count: header.length,
    fieldOf: (fields, column) => fields[places.get(column) ?? -1] ?? '',
    missing: optional.filter((column) => !places.has(column)),
    unknown: header.filter((column) => !known.includes(column)),
  };
}
