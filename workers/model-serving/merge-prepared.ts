import type { PreparedFeatures, ProblemCounts } from '../../shared/models/prepare-features.ts';
import { columnProblems } from '../../shared/models/prepare-column.ts';

/** The rows of several requests, all prepared by the same columns, as if they were one's. */
export function mergePrepared(parts: readonly PreparedFeatures[]): PreparedFeatures {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const features = new Float32Array(parts.reduce((sum, part) => sum + part.features.length, 0));
  const problems = new Map<string, ProblemCounts>();
  let at = 0;
  for (const part of parts) {
    features.set(part.features, at);
    at += part.features.length;
    for (const [name, counts] of part.problems) {
      const merged = { ...problems.get(name) };
      for (const problem of columnProblems) {
        const count = counts[problem];
        if (count !== undefined) merged[problem] = (merged[problem] ?? 0) + count;
      }
      problems.set(name, merged);
    }
  }
  return { features, rows: parts.flatMap(({ rows }) => rows), problems };
}
