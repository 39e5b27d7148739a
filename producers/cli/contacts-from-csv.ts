import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { CommandFailed } from './usage-error.ts';

const rowsSchema = z.array(z.record(z.string(), z.string()));
const ownColumns: ReadonlySet<string> = new Set(['id', 'phoneNumber', 'timezone']);

/**
 * The payload of a call-time job from a CSV with a header line: `id`, `phoneNumber`, optionally `timezone`;
 * every other column becomes metadata. Empty cells count as absent.
 *
 * @throws CommandFailed that names the line or the missing column
 */
export function contactsFromCsv(content: string, name: string): { contacts: unknown[] } {
  const rows = parseRows(content, name);
  const [first] = rows;
  if (!first) throw new CommandFailed(`${name} has no line after its header.`);
  for (const column of ['id', 'phoneNumber']) {
    if (!(column in first)) throw new CommandFailed(`${name} has no column ${column}.`);
  }
  return {
    contacts: rows.map((row) => {
      const metadata = Object.entries(row).filter(
        ([column, value]) => !ownColumns.has(column) && value !== '',
      );
      return {
        id: row['id'],
        phoneNumber: row['phoneNumber'],
        ...(row['timezone'] ? { timezone: row['timezone'] } : {}),
        ...(metadata.length > 0 ? { metadata: Object.fromEntries(metadata) } : {}),
      };
    }),
  };
}

function parseRows(content: string, name: string): Record<string, string>[] {
  try {
    return rowsSchema.parse(parse(content, { columns: true, bom: true, trim: true, skip_empty_lines: true }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = 'lines' in error && typeof error.lines === 'number' ? ` in line ${error.lines}` : '';
    throw new CommandFailed(`${name} is neither JSON nor a readable CSV: ${error.code}${line}.`);
  }
}
