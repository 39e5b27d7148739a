import { z } from 'zod';
import type { ServedModelReport } from '../../shared/models/served-model-report.ts';

export const loadedVersionSchema = z.object({
  status: z.enum(['ready', 'degraded']).meta({
    description:
      'degraded: a worker answers with it because the version that is to answer could not be loaded',
  }),
  model_id: z.string(),
  version: z.string(),
  sha256: z.string().meta({ description: "SHA-256 of the model's manifest, in hexadecimal" }),
  n_features: z.int(),
  loaded_at: z.iso.datetime().meta({ description: 'When the first of its workers loaded it' }),
  workers: z.int().meta({ description: 'Processes that answer with it' }),
});

/** A version of a model that answers, in one or more processes. */
export type LoadedVersion = z.output<typeof loadedVersionSchema>;

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
