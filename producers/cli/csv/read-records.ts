import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import type { Line } from './read-lines.ts';

/** A line of a CSV, or several where a quoted field holds line breaks. */
export interface CsvRecord {
  /** The number of its first line. */
  line: number;
  /** Undefined: the line is no CSV. */
  fields: string[] | undefined;
}

const recordsSchema = z.array(z.array(z.string()));
const maxLinesOfRecord = 50;

/**
 * Reads records line by line; empty lines are left out. A quotation mark that is not closed spoils its own line only,
 * not what follows.
 */
export async function* readRecords(lines: AsyncIterable<Line>): AsyncGenerator<CsvRecord> {
  const source: AsyncIterator<Line, unknown> = lines[Symbol.asyncIterator]();
  const again: Line[] = [];
  const next = async (): Promise<Line | undefined> => {
    const line = again.shift();
    if (line) return line;
    const read = await source.next();
    return read.done ? undefined : read.value;
  };

  for (let line = await next(); line; line = await next()) {
    const { number, text } = line;
    if (text === undefined) {
      yield { line: number, fields: undefined };
    } else if (!text.includes('"')) {
      if (text.trim() !== '') yield { line: number, fields: text.split(',').map((field) => field.trim()) };
    } else {
      let joined = text;
      const more: Line[] = [];
      while (hasOpenQuote(joined) && more.length < maxLinesOfRecord) {
        const following = await next();
        if (!following) break;
        more.push(following);
        if (following.text === undefined) break;
        joined += `\n${following.text}`;
      }
      const fields = parseRecord(joined);
      if (!fields) again.unshift(...more);
      yield { line: number, fields };
    }
  }
}

/** Quotation marks inside a quoted field are doubled, so that all of a record's are an even number. */
function hasOpenQuote(text: string): boolean {
  return (text.split('"').length - 1) % 2 === 1;
}

function parseRecord(text: string): string[] | undefined {
  try {
    const records = recordsSchema.parse(parse(text, { trim: true, relax_column_count: true }));
    return records.length === 1 ? records[0] : undefined;
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}
