import type { LoadedVersion } from '../../shared/api-contract/lead-models.ts';
import type { ServedModelReport } from '../../shared/models/served-model-report.ts';

/** The versions that answer: first the one that most processes have, of several such the one that was loaded last. */
export function loadedVersions(reports: readonly ServedModelReport[]): LoadedVersion[] {
  const byManifest = new Map<string, LoadedVersion>();
  for (const report of reports) {
    if (report.status === 'not_ready') continue;
    const { status, model_id, version, sha256, n_features, loaded_at } = report;
    const known = byManifest.get(sha256);
    byManifest.set(sha256, {
      status: known?.status === 'degraded' ? 'degraded' : status,
      model_id,
      version,
      sha256,
      n_features,
      loaded_at: known && isBefore(known.loaded_at, loaded_at) ? known.loaded_at : loaded_at,
      workers: (known?.workers ?? 0) + 1,
    });
  }
  return [...byManifest.values()].toSorted(
    (one, other) => other.workers - one.workers || Date.parse(other.loaded_at) - Date.parse(one.loaded_at),
  );
}

function isBefore(one: string, other: string): boolean {
  return Date.parse(one) < Date.parse(other);
}
