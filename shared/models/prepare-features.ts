import type { FeatureColumn } from './feature-column.ts';
import { prepareColumn, type ColumnProblem } from './prepare-column.ts';

/** Features of one row by the names of columns, as they come from JSON or CSV. Other names are ignored. */
export type FeatureRow = Readonly<Record<string, unknown>>;

/** What a row lacks that nothing may stand in for. */
export interface RefusedColumn {
  column: string;
  problem: ColumnProblem;
}

/** A row that the model can be asked about, or what is wrong with it. */
export type PreparedRow =
  | {
      kind: 'accepted';
      /** Share of the columns for which the row had a usable value of its own, from 0 to 1. */
      coverage: number;
    }
  | { kind: 'refused'; columns: RefusedColumn[] };

/** How many values of a column had which problem. */
export type ProblemCounts = Partial<Record<ColumnProblem, number>>;

export interface PreparedFeatures {
  /** Accepted rows one after the other, each with one value for each column. */
  features: Float32Array<ArrayBuffer>;
  /** One for each given row, in order. */
  rows: PreparedRow[];
  /** By column; only columns in which something was wrong. Refused rows count too. */
  problems: ReadonlyMap<string, ProblemCounts>;
}

export type PrepareFeatures = (rows: readonly FeatureRow[]) => PreparedFeatures;

/**
 * Turns a manifest's columns into the function that prepares rows for the model. Each value is used as it is, or
 * replaced as its column's strategy says, and counted then; nothing is coerced silently. It never throws, whatever
 * the rows hold, and a row's outcome does not depend on the other rows.
 */
export function prepareFeatures(columns: readonly FeatureColumn[]): PrepareFeatures {
  const prepared = columns.map((column) => ({ name: column.name, prepare: prepareColumn(column) }));
  const width = columns.length;

  return (rows) => {
    const features = new Float32Array(rows.length * width);
    const problems = new Map<string, ProblemCounts>();
    let accepted = 0;

    function prepareRow(row: FeatureRow): PreparedRow {
      const start = accepted * width;
      const refused: RefusedColumn[] = [];
      let own = 0;
      for (const [place, { name, prepare }] of prepared.entries()) {
        const value = prepare(Object.hasOwn(row, name) ? row[name] : undefined);
        if (typeof value === 'number') {
          features[start + place] = value;
          own += 1;
          continue;
        }
        const counts = problems.get(name) ?? {};
        counts[value.problem] = (counts[value.problem] ?? 0) + 1;
        problems.set(name, counts);
        if (value.isOwn) own += 1;
        if (value.value === undefined) refused.push({ column: name, problem: value.problem });
        else features[start + place] = value.value;
      }
      // The next row takes the place of one that is refused.
      if (refused.length > 0) return { kind: 'refused', columns: refused };
      accepted += 1;
      return { kind: 'accepted', coverage: own / width };
    }
    const outcomes = rows.map(prepareRow);
    return { features: features.subarray(0, accepted * width), rows: outcomes, problems };
  };
}
