import type { FeatureColumn } from '../../shared/models/feature-column.ts';
import { prepareColumn, type ColumnProblem } from '../../shared/models/prepare-column.ts';
import type {
  FeatureRow,
  PreparedFeatures,
  PreparedRow,
  ProblemCounts,
  RefusedColumn,
} from '../../shared/models/prepare-features.ts';

/** Whether a row that lacks a usable value is refused, or filled by the strategies of the manifest. */
export type WhenMissing = 'reject' | 'impute';

/** What was done with the rows, by the names of columns: each in at least one row. */
export interface FeatureTreatment {
  /** The manifest's value stands in for a missing or unusable one. */
  imputed: ReadonlySet<string>;
  /** Below or above the training rows: moved to their range or left, as the manifest says. */
  outOfRange: ReadonlySet<string>;
  /** The model has no such column. */
  ignored: ReadonlySet<string>;
}

export interface CheckedRows {
  prepared: PreparedFeatures;
  treatment: FeatureTreatment;
}

export type CheckRows = (rows: readonly FeatureRow[], whenMissing: WhenMissing) => CheckedRows;

/** No value that a column takes. Numbers come as numbers here: a text that looks like one is none. */
const unusable = Symbol('unusable');

/**
 * Turns a manifest's columns into the function that prepares the rows of callers, who are to learn what is wrong with
 * them. It never throws, and a row's outcome does not depend on the other rows.
 */
export function createRowCheck(columns: readonly FeatureColumn[]): CheckRows {
  const width = columns.length;
  const known = new Set(columns.map(({ name }) => name));
  const checks = columns.map((column) => {
    const prepare = prepareColumn(column);
    const isNumeric = column.type === 'numeric';
    return {
      name: column.name,
      prepare: (given: unknown) => prepare(isNumeric && typeof given === 'string' ? unusable : given),
    };
  });

  return (rows, whenMissing) => {
    const features = new Float32Array(rows.length * width);
    const problems = new Map<string, ProblemCounts>();
    const treatment = {
      imputed: new Set<string>(),
      outOfRange: new Set<string>(),
      ignored: new Set<string>(),
    };
    let accepted = 0;

    function note(name: string, problem: ColumnProblem): void {
      const counts = problems.get(name) ?? {};
      counts[problem] = (counts[problem] ?? 0) + 1;
      problems.set(name, counts);
    }
    function checkRow(row: FeatureRow): PreparedRow {
      const refused: RefusedColumn[] = [];
      const imputed: string[] = [];
      for (const [place, { name, prepare }] of checks.entries()) {
        const value = prepare(Object.hasOwn(row, name) ? row[name] : undefined);
        const at = accepted * width + place;
        if (typeof value === 'number') {
          features[at] = value;
          continue;
        }
        note(name, value.problem);
        if (value.value === undefined || (!value.isOwn && whenMissing === 'reject')) {
          refused.push({ column: name, problem: value.problem });
          continue;
        }
        features[at] = value.value;
        if (value.isOwn) treatment.outOfRange.add(name);
        else imputed.push(name);
      }
      for (const name of Object.keys(row)) if (!known.has(name)) treatment.ignored.add(name);
      // The next row takes the place of one that is refused.
      if (refused.length > 0) return { kind: 'refused', columns: refused };
      accepted += 1;
      for (const name of imputed) treatment.imputed.add(name);
      return { kind: 'accepted', coverage: 1 - imputed.length / width };
    }
    const outcomes = rows.map(checkRow);
    return {
      prepared: { features: features.subarray(0, accepted * width), rows: outcomes, problems },
      treatment,
    };
  };
}
