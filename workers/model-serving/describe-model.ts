import type { DescribedModel } from '../../shared/api-contract/served-model-info.ts';
import type { FeatureColumn } from '../../shared/models/feature-column.ts';
import type { ModelInfo } from '../../shared/models/served-model.ts';

export function describeModel({ manifest, sha256, loadedAt }: ModelInfo): DescribedModel {
  const { name, url, licence, citation } = manifest.data;
  const common = {
    model_id: manifest.model_id,
    model_type: manifest.model_type,
    version: manifest.version,
    sha256,
    description: manifest.description,
    trained_at: manifest.trained_at,
    loaded_at: loadedAt,
    n_features: manifest.feature_columns.length,
    feature_columns: manifest.feature_columns.map(describeColumn),
    metrics: manifest.metrics,
    data: { name, url, licence, citation },
  };
  if (manifest.model_type === 'binary_classifier') {
    const { method, calibration_error } = manifest.calibration;
    return { ...common, calibration: { method, calibration_error } };
  }
  const { outputs, effects } = manifest;
  return { ...common, ...outputs, effects };
}

function describeColumn(column: FeatureColumn): DescribedModel['feature_columns'][number] {
  const missing = column.missing.strategy;
  if (column.type === 'categorical') {
    const { name, type, vocabulary } = column;
    return { name, type, vocabulary, missing };
  }
  const { name, type, min, max, mean } = column;
  return { name, type, min, max, mean, missing, out_of_range: column.out_of_range.strategy };
}
