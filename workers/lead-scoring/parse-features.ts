import type { FeatureRow } from '../../shared/models/prepare-features.ts';

/** A lead's features as they are stored; undefined when they are no JSON object. */
export function parseFeatures(text: string): FeatureRow | undefined {
  let features: unknown;
  try {
    features = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isObject(features) ? features : undefined;
}

function isObject(value: unknown): value is FeatureRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
