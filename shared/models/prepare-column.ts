import type { CategoricalColumn, FeatureColumn, NumericColumn } from './feature-column.ts';

/**
 * What can be wrong with a value:
 *
 * - `missing`: absent, null or empty
 * - `not_finite`: NaN, an infinity, or more than a float32 can hold
 * - `invalid`: no number in a numeric column, no text in a categorical one
 * - `unknown_category`: a text that the vocabulary lacks
 * - `out_of_range`: a number below the least or above the greatest value of the training rows
 */
export const columnProblems = [
  'missing',
  'not_finite',
  'invalid',
  'unknown_category',
  'out_of_range',
] as const;

export type ColumnProblem = (typeof columnProblems)[number];

/** A value that had a problem, and what became of it. */
export interface Mended {
  problem: ColumnProblem;
  /** What the model is given; `undefined`: nothing stands in, so the row is refused. */
  value: number | undefined;
  /** Whether it still is the row's own value, if perhaps moved into the range. */
  isOwn: boolean;
}

/** What the model is given for a value: a float32, which has its reason unless the value was right as it came. */
export type PrepareValue = (value: unknown) => number | Mended;

/** Numbers as people and programs write them; nothing else that `Number` takes, such as `0x10`. */
const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const notFinitePattern = /^[+-]?(nan|inf|infinity)$/i;

/** Turns what the manifest says of a column into the function that prepares its values. It never throws. */
export function prepareColumn(column: FeatureColumn): PrepareValue {
  return column.type === 'numeric' ? prepareNumber(column) : prepareCategory(column);
}

function prepareNumber(column: NumericColumn): PrepareValue {
  const [least, greatest] = [Math.fround(column.min), Math.fround(column.max)];
  const mend = mendWith(standInForNumber(column));
  const missing = mend('missing');
  const notFinite = mend('not_finite');
  const invalid = mend('invalid');
  const outOfRange = column.out_of_range.strategy;
  const tooSmall: Mended = { problem: 'out_of_range', value: least, isOwn: true };
  const tooGreat: Mended = { problem: 'out_of_range', value: greatest, isOwn: true };
  const leftOut = mend('out_of_range');

  return (given) => {
    let number: number;
    if (typeof given === 'number') number = given;
    else if (given === undefined || given === null) return missing;
    else if (typeof given === 'string') {
      const text = given.trim();
      if (text === '') return missing;
      if (notFinitePattern.test(text)) return notFinite;
      if (!numberPattern.test(text)) return invalid;
      number = Number(text);
    } else return invalid;
    // Compared as the model sees it: the range's own ends must not fall out of it by rounding.
    const value = Math.fround(number);
    if (!Number.isFinite(value)) return notFinite;
    if (value >= least && value <= greatest) return value;
    if (outOfRange === 'keep') return { problem: 'out_of_range', value, isOwn: true };
    if (outOfRange === 'missing') return leftOut;
    return value < least ? tooSmall : tooGreat;
  };
}

function prepareCategory(column: CategoricalColumn): PrepareValue {
  const places = new Map(column.vocabulary.map((category, place) => [category, place]));
  const standIn = standInForCategory(column, places);
  const mend = mendWith(standIn);
  const missing = mend('missing');
  const invalid = mend('invalid');
  const { unknown_category: stated } = column;
  const unknown: Mended = {
    problem: 'unknown_category',
    value: stated.strategy === 'constant' ? places.get(stated.value) : standIn,
    isOwn: false,
  };

  return (given) => {
    if (given === undefined || given === null) return missing;
    if (typeof given !== 'string') return invalid;
    return places.get(given) ?? (given.trim() === '' ? missing : unknown);
  };
}

const mendWith =
  (value: number | undefined) =>
  (problem: ColumnProblem): Mended => ({ problem, value, isOwn: false });

function standInForNumber({ missing, mean }: NumericColumn): number | undefined {
  if (missing.strategy === 'reject') return undefined;
  if (missing.strategy === 'nan') return Number.NaN;
  return Math.fround(missing.strategy === 'mean' ? mean : missing.value);
}

function standInForCategory(
  { missing }: CategoricalColumn,
  places: ReadonlyMap<string, number>,
): number | undefined {
  if (missing.strategy === 'reject') return undefined;
  return missing.strategy === 'nan' ? Number.NaN : places.get(missing.value);
}
