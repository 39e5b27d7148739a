import type { FeatureColumn, NumericHistogram } from './feature-column.ts';
import { populationStabilityIndex } from './population-stability-index.ts';

/** What happened so many rows ago counts e times less than what happens now. */
const windowRows = 50_000;
/** Fewer rows than this say nothing: chance alone would look like drift. */
const leastRows = 1_000;

/** Population stability indices. */
export interface Drift {
  /** By column. A column without a single value of its own bins is left out. */
  features: ReadonlyMap<string, number>;
  /** Only of models that answer a probability. */
  score: number | undefined;
}

/** Compares what a model is given and what it answers with the histograms of its training. */
export interface DriftMonitor {
  /**
   * @param features rows one after the other, as the model was given them
   * @param probabilities what it answered, one for each row; none of models that answer something else
   */
  observe(features: Float32Array, probabilities: readonly number[]): void;
  /** `undefined` until there were enough rows to say anything. */
  drift(): Drift | undefined;
}

/** Rows of the latest past weigh most: counts decay by a factor e with every 50,000 rows. */
export function createDriftMonitor(manifest: {
  feature_columns: readonly FeatureColumn[];
  score_histogram?: NumericHistogram;
}): DriftMonitor {
  const { score_histogram: scores = { inner_edges: [], counts: [] } } = manifest;
  const columns = manifest.feature_columns.map((column) => ({
    name: column.name,
    expected: column.histogram.counts,
    binOf: binOfColumn(column),
    counts: new Float64Array(column.histogram.counts.length),
  }));
  const scoreBinOf = binOfNumber(Float64Array.from(scores.inner_edges));
  const scoreCounts = new Float64Array(scores.counts.length);
  let rows = 0;

  return {
    observe(features, probabilities) {
      const observed = features.length / columns.length;
      const decay = Math.exp(-observed / windowRows);
      for (const [place, { binOf, counts }] of columns.entries()) {
        scale(counts, decay);
        for (let at = place; at < features.length; at += columns.length) add(counts, binOf(features[at]));
      }
      scale(scoreCounts, decay);
      for (const probability of probabilities) add(scoreCounts, scoreBinOf(probability));
      rows += observed;
    },
    drift() {
      if (rows < leastRows) return undefined;
      const features = new Map<string, number>();
      for (const { name, expected, counts } of columns) {
        if (counts.some((count) => count > 0)) {
          features.set(name, populationStabilityIndex(expected, counts));
        }
      }
      return {
        features,
        score: scoreCounts.some((count) => count > 0)
          ? populationStabilityIndex(scores.counts, scoreCounts)
          : undefined,
      };
    },
  };
}

type BinOf = (value: number | undefined) => number | undefined;

function binOfColumn(column: FeatureColumn): BinOf {
  if (column.type === 'categorical') return (value) => (Number.isNaN(value) ? undefined : value);
  // The edges are rounded like the values: one that lies on an edge must be found there.
  return binOfNumber(Float32Array.from(column.histogram.inner_edges));
}

/** The place of a number's bin: how many inner edges are not above it. NaN has none. */
function binOfNumber(innerEdges: Float32Array | Float64Array): BinOf {
  return (value) => {
    if (value === undefined || Number.isNaN(value)) return undefined;
    let [low, high] = [0, innerEdges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((innerEdges[middle] ?? Infinity) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function add(counts: Float64Array, bin: number | undefined): void {
  if (bin !== undefined) counts[bin] = (counts[bin] ?? 0) + 1;
}

function scale(counts: Float64Array, factor: number): void {
  for (const [bin, count] of counts.entries()) counts[bin] = count * factor;
}
