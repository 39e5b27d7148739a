import { JobError } from '../errors/job-error.ts';
import { goldenProblems } from './golden-problems.ts';
import type { WantedVersion, ModelSource } from './model-source.ts';
import { isOfType, type ModelType } from './model-type.ts';
import { openScorer, type Scorer } from './open-scorer.ts';
import type { ModelInfo } from './served-model.ts';

/** A refusal names no more problems. */
const problemsNamed = 3;

/** A version that has proved itself. Disposing it frees its memory. */
export interface LoadedVersion<Type extends ModelType = ModelType> extends ModelInfo<Type> {
  scorer: Scorer<Type>;
}

/**
 * Loads a version: every byte of its bundle is checked first, and then its golden inputs must give the expected
 * outputs.
 *
 * @param types the kinds of models that whoever asks can use
 * @throws JobError `permanent` with the code `MODEL_UNSOUND` (checksums, manifest), `MODEL_TYPE_UNUSABLE` (another kind
 *   of model), `MODEL_UNFIT` (the network is another than described), `MODEL_GOLDEN_MISMATCH`; what
 *   `ModelSource.bundle` and `Scorer.score` throw
 */
export async function loadVersion<Type extends ModelType>(
  modelId: string,
  version: WantedVersion,
  { source, types }: { source: ModelSource; types: readonly Type[] },
): Promise<LoadedVersion<Type>> {
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
  const type = types.find((each) => each === manifest.model_type);
  if (type === undefined || !isOfType(manifest, type)) {
    throw refusal('MODEL_TYPE_UNUSABLE', [
      `it is a ${manifest.model_type}, and only ${types.join(' or ')} can be used here`,
    ]);
  }
  const network = files.get(manifest.runtime.file);
  if (!network) throw refusal('MODEL_UNSOUND', [`${manifest.runtime.file} is missing`]);

  await using opened = new AsyncDisposableStack();
  const scorer = opened.use(await openScorer(type, manifest, network));
  const problems = await goldenProblems(type, manifest, scorer);
  if (problems.length > 0) throw refusal('MODEL_GOLDEN_MISMATCH', problems);
  opened.move();
  return { manifest, sha256, loadedAt: new Date().toISOString(), scorer };
}

function refusal(code: string, problems: readonly string[]): JobError {
  const more = problems.length - problemsNamed;
  const named = problems.slice(0, problemsNamed).join('; ');
  return new JobError('permanent', more > 0 ? `${named}; and ${more} more problems` : named, { code });
}
