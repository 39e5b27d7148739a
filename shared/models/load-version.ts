import { JobError } from '../errors/job-error.ts';
import { goldenProblems } from './golden-problems.ts';
import type { WantedVersion, ModelSource } from './model-source.ts';
import { openScorer, type Scorer } from './open-scorer.ts';
import type { ModelInfo } from './served-model.ts';

/** A refusal names no more problems. */
const problemsNamed = 3;

/** A version that has proved itself. Disposing it frees its memory. */
export interface LoadedVersion extends ModelInfo {
  scorer: Scorer;
}

/**
 * Loads a version: every byte of its bundle is checked first, and then its golden inputs must give the expected
 * outputs.
 *
 * @throws JobError `permanent` with the code `MODEL_UNSOUND` (checksums, manifest), `MODEL_UNFIT` (the network is
 *   another than described), `MODEL_GOLDEN_MISMATCH`; what `ModelSource.bundle` and `Scorer.score` throw
 */
export async function loadVersion(
  modelId: string,
  version: WantedVersion,
  source: ModelSource,
): Promise<LoadedVersion> {
  const check = await source.bundle(version);
  if (!check.isSound) {
    throw refusal(
      'MODEL_UNSOUND',
      check.problems.map(({ file, problem }) => `${file} ${problem}`),
    );
  }
  const { manifest, manifestSha256: sha256, files } = check.bundle;
  if (manifest.model_id !== modelId || manifest.version !== version.version) {
    throw refusal('MODEL_UNSOUND', [`its manifest is that of ${manifest.model_id} ${manifest.version}`]);
  }
  const network = files.get(manifest.runtime.file);
  if (!network) throw refusal('MODEL_UNSOUND', [`${manifest.runtime.file} is missing`]);

  await using opened = new AsyncDisposableStack();
  const scorer = opened.use(await openScorer(manifest, network));
  const problems = await goldenProblems(manifest, scorer);
  if (problems.length > 0) throw refusal('MODEL_GOLDEN_MISMATCH', problems);
  opened.move();
  return { manifest, sha256, loadedAt: new Date().toISOString(), scorer };
}

function refusal(code: string, problems: readonly string[]): JobError {
  const more = problems.length - problemsNamed;
  const named = problems.slice(0, problemsNamed).join('; ');
  return new JobError('permanent', more > 0 ? `${named}; and ${more} more problems` : named, { code });
}
