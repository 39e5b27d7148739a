import { JobError } from '../errors/job-error.ts';
import type { Bundle, BundleProblem } from './check-bundle.ts';
import { goldenProblems } from './golden-problems.ts';
import { openScorer } from './open-scorer.ts';

/**
 * Loads a bundle's model and runs its golden inputs. Answers what is wrong with it: nothing when it may be served.
 *
 * @throws what `Scorer.score` throws
 */
export async function proveBundle({ manifest, files }: Bundle): Promise<BundleProblem[]> {
  const { model_type: type, runtime } = manifest;
  const { file } = runtime;
  const network = files.get(file);
  if (!network) return [{ file, problem: 'is missing' }];
  try {
    await using scorer = await openScorer(type, manifest, network);
    return (await goldenProblems(type, manifest, scorer)).map((problem) => ({ file, problem }));
  } catch (error) {
    if (error instanceof JobError && error.code === 'MODEL_UNFIT') {
      return [{ file, problem: error.message }];
    }
    throw error;
  }
}
