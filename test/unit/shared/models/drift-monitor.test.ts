import { createDriftMonitor } from '../../../../shared/models/drift-monitor.ts';
import type { FeatureColumn } from '../../../../shared/models/feature-column.ts';
import { populationStabilityIndex } from '../../../../shared/models/population-stability-index.ts';

const columns: FeatureColumn[] = [
  {
    name: 'rate',
    type: 'numeric',
    min: 0,
    max: 3,
    mean: 1.5,
    missing: { strategy: 'nan' },
    out_of_range: { strategy: 'keep' },
    // 1.1 is no float32: as one it is above the edge, and 1.3 as one is below.
    histogram: { inner_edges: [1.1, 1.3], counts: [500, 300, 200] },
  },
  {
    name: 'colour',
    type: 'categorical',
    vocabulary: ['red', 'blue'],
    missing: { strategy: 'nan' },
    unknown_category: { strategy: 'missing' },
    histogram: { counts: [900, 100] },
  },
];
const manifest = {
  feature_columns: columns,
  score_histogram: { inner_edges: [0.25, 0.5], counts: [700, 200, 100] },
};

/** So many rows of each: rate, colour, probability. */
function repeat(...kinds: [count: number, rate: number, colour: number, probability: number][]) {
  const rows = kinds.flatMap(([count, ...row]) => Array.from({ length: count }, () => row));
  return {
    features: Float32Array.from(rows.flatMap(([rate, colour]) => [rate, colour])),
    probabilities: rows.map(([, , probability]) => probability),
  };
}

it('says nothing of few rows, and then that there is no drift when there is none', () => {
  const monitor = createDriftMonitor(manifest);
  const asTrained = repeat(
    [500, 0, 0, 0],
    [200, 1.1, 0, 0.1],
    [100, 1.2, 0, 0.25],
    [100, 1.3, 0, 0.3],
    [100, 2, 1, 1],
  );
  monitor.observe(asTrained.features.subarray(0, 1_998), asTrained.probabilities.slice(0, 999));
  expect(monitor.drift()).toBeUndefined();
  monitor.observe(asTrained.features.subarray(1_998), asTrained.probabilities.slice(999));
  const drift = monitor.drift();
  expect(drift?.features.get('rate')).toBeCloseTo(0, 4);
  expect(drift?.features.get('colour')).toBeCloseTo(0, 4);
  expect(drift?.score).toBeCloseTo(0, 4);
});

it('compares with the histograms of the training, each column by itself', () => {
  const monitor = createDriftMonitor(manifest);
  const { features, probabilities } = repeat([600, 1.2, 0, 0.9], [400, -5, 1, 0]);
  monitor.observe(features, probabilities);
  const drift = monitor.drift();
  expect(drift?.features.get('rate')).toBeCloseTo(
    populationStabilityIndex([500, 300, 200], [400, 600, 0]),
    9,
  );
  expect(drift?.features.get('colour')).toBeCloseTo(populationStabilityIndex([900, 100], [600, 400]), 9);
  expect(drift?.score).toBeCloseTo(populationStabilityIndex([700, 200, 100], [400, 0, 600]), 9);
});

it('leaves out what has no bin, and a column that has nothing else', () => {
  const monitor = createDriftMonitor(manifest);
  const { features, probabilities } = repeat(
    [1_000, 1.2, Number.NaN, 0.1],
    [500, Number.NaN, Number.NaN, 0.1],
  );
  monitor.observe(features, probabilities);
  const drift = monitor.drift();
  expect(drift?.features.get('rate')).toBeCloseTo(
    populationStabilityIndex([500, 300, 200], [0, 1_000, 0]),
    9,
  );
  expect(drift?.features.has('colour')).toBe(false);
});

it('forgets: what happened 50,000 rows ago counts e times less', () => {
  const monitor = createDriftMonitor(manifest);
  for (const row of [repeat([25_000, 0, 0, 0]), repeat([25_000, 0, 1, 0]), repeat([25_000, 0, 1, 0])]) {
    monitor.observe(row.features, row.probabilities);
  }
  const red = 25_000 / Math.E;
  const blue = 25_000 * (1 + Math.exp(-0.5));
  const drift = monitor.drift();
  expect(drift?.features.get('colour')).toBeCloseTo(populationStabilityIndex([900, 100], [red, blue]), 9);
});
