import type { Manifest } from './manifest.ts';
import type { Scorer } from './open-scorer.ts';

/**
 * Runs a manifest's golden inputs. Answers one problem for each that did not give its expected output, with the case's
 * place in the manifest: a model with any is not to be served.
 *
 * @throws what `Scorer.score` throws
 */
export async function goldenProblems(
  { golden }: Pick<Manifest, 'golden'>,
  scorer: Pick<Scorer, 'score'>,
): Promise<string[]> {
  const { scores } = await scorer.score(golden.cases.map(({ input }) => input));
  return golden.cases.flatMap(({ expected }, place) => {
    const score = scores[place];
    const got = score?.kind === 'scored' ? score.probability : undefined;
    if (got !== undefined && Math.abs(got - expected.probability) <= golden.tolerance) return [];
    const told = got ?? (score?.kind === 'rejected' ? `none: ${score.message}` : 'none');
    return `golden.cases[${place}]: expected the probability ${expected.probability} within ${golden.tolerance}, got ${told}`;
  });
}
