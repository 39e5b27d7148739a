import { modelKinds } from './model-kinds.ts';
import type { ManifestOf, ModelType } from './model-type.ts';
import type { Scorer } from './open-scorer.ts';

/**
 * Runs a manifest's golden inputs. Answers one problem for each figure that is not as it is stated, with the case's
 * place in the manifest: a model with any is not to be served.
 *
 * @param type of the manifest
 * @throws what `Scorer.score` throws
 */
export async function goldenProblems<Type extends ModelType>(
  type: Type,
  manifest: ManifestOf<Type>,
  scorer: Pick<Scorer<Type>, 'score'>,
): Promise<string[]> {
  const { cases, tolerance } = manifest.golden;
  const kind = modelKinds[type];
  const { scores } = await scorer.score(cases.map(({ input }) => input));
  return kind.golden(manifest).flatMap((figures, place) => {
    const score = scores[place];
    const got = score?.kind === 'scored' ? new Map(kind.figures(score)) : undefined;
    const isRight = ([name, expected]: (typeof figures)[number]) =>
      Math.abs((got?.get(name) ?? Number.NaN) - expected) <= tolerance;
    // Without an answer, one figure says it for all.
    const wrong = figures.filter((figure) => !isRight(figure)).slice(0, got ? figures.length : 1);
    return wrong.map(([name, expected]) => {
      const told = got?.get(name) ?? (score?.kind === 'rejected' ? `none: ${score.message}` : 'none');
      return `golden.cases[${place}]: expected the ${name} ${expected} within ${tolerance}, got ${told}`;
    });
  });
}
