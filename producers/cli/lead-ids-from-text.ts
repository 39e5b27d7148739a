import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { CommandFailed } from './usage-error.ts';

const recordsSchema = z.array(z.array(z.string()));
const column = 'lead_id';

/**
 * The payload of a lead-scoring job from text that is not JSON: a CSV with a column `lead_id`, whose other columns are
 * left out, or ids, one a line.
 *
 * @param isCsv whether the file is called one
 * @throws CommandFailed that names the line or the missing column
 */
export function leadIdsFromText(
  content: string,
  { name, isCsv }: { name: string; isCsv: boolean },
): { lead_ids: string[] } {
  const text = content.replace(/^\u{feff}/u, '');
  const firstLine = /^[^\r\n]*/.exec(text.trimStart())?.[0] ?? '';
  const header = firstLine.split(',').map((field) => field.trim().replaceAll('"', ''));
  if (header.includes(column)) return { lead_ids: columnOf(text, name, header.indexOf(column)) };
  if (isCsv && header.length > 1) throw new CommandFailed(`${name} has no column ${column}.`);
  const ids = text.split(/\r?\n/).map((line) => line.trim());
  return { lead_ids: ids.filter((id) => id !== '') };
}

function columnOf(text: string, name: string, place: number): string[] {
  try {
    const records = recordsSchema.parse(parse(text, { trim: true, skip_empty_lines: true }));
    return records.slice(1).map((fields) => fields[place] ?? '');
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = 'lines' in error && typeof error.lines === 'number' ? ` in line ${error.lines}` : '';
    throw new CommandFailed(`${name} is not a readable CSV: ${error.code}${line}.`);
  }
}
