import { z } from 'zod';
import type { BulkPrediction } from '../../shared/contracts/model-serving.ts';
import type { ArtifactStore } from '../../shared/models/artifact-store.ts';

/** A file of results has no more bytes: it is held in memory. */
export const maxResultsBytes = 256 * 1024 * 1024;

const lineSchema = z.object({ model_version: z.string(), error: z.unknown().optional() });

/**
 * What an earlier run of a job has found out; `undefined` when none has written its file.
 *
 * @throws what the store throws
 */
export async function readResults(
  store: Pick<ArtifactStore, 'read'>,
  key: string,
): Promise<Pick<BulkPrediction, 'model_version' | 'rows' | 'scored' | 'rejected'> | undefined> {
  const bytes = await store.read(key, { maxBytes: maxResultsBytes });
  if (!bytes) return undefined;
  const lines = new TextDecoder().decode(bytes).trimEnd().split('\n');
  let [version, rejected] = ['', 0];
  for (const line of lines) {
    const { model_version, error } = lineSchema.parse(JSON.parse(line));
    version = model_version;
    if (error !== undefined) rejected += 1;
  }
  return { model_version: version, rows: lines.length, scored: lines.length - rejected, rejected };
}
