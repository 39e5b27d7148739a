import type { Metrics } from '../telemetry/create-metrics.ts';
import { createDriftMonitor } from './drift-monitor.ts';
import type { Manifest } from './manifest.ts';
import type { ScoredRows } from './open-scorer.ts';

export type ModelMetrics = Pick<
  Metrics,
  'featureCoverageRatio' | 'featureProblems' | 'featureDriftPsi' | 'scoreDriftPsi'
>;

/** Shows in the metrics what a version is given and what it answers. Disposing it takes its drift away again. */
export interface ModelMonitor extends Disposable {
  observe(scored: ScoredRows): void;
}

export function monitorModel(manifest: Manifest, metrics: ModelMetrics): ModelMonitor {
  const { model_id: model, version } = manifest;
  const monitor = createDriftMonitor(manifest);
  const coverage = metrics.featureCoverageRatio.labels({ model });
  const features = manifest.feature_columns.map(({ name }) => name);

  return {
    observe({ scores, prepared }) {
      const probabilities: number[] = [];
      for (const score of scores) {
        if (score.kind === 'rejected') continue;
        if (score.type === 'binary_classifier') probabilities.push(score.probability);
        coverage.observe(score.coverage);
      }
      for (const [feature, counts] of prepared.problems) {
        for (const [problem, count] of Object.entries(counts)) {
          metrics.featureProblems.inc({ model, feature, problem }, count);
        }
      }
      monitor.observe(prepared.features, probabilities);
      const drift = monitor.drift();
      if (!drift) return;
      for (const [feature, psi] of drift.features)
        metrics.featureDriftPsi.set({ model, version, feature }, psi);
      if (drift.score !== undefined) metrics.scoreDriftPsi.set({ model, version }, drift.score);
    },
    [Symbol.dispose]() {
      for (const feature of features) metrics.featureDriftPsi.remove({ model, version, feature });
      metrics.scoreDriftPsi.remove({ model, version });
    },
  };
}
