import { scoreDifferences } from '../../../../../producers/cli/shadow-report/score-differences.ts';
import { populationStabilityIndex } from '../../../../../shared/models/population-stability-index.ts';

const hundred = (value: (place: number) => number) =>
  Float64Array.from({ length: 100 }, (_, place) => value(place));

test('versions that say the same do not differ', () => {
  const scores = hundred((place) => place / 100);
  expect(scoreDifferences(scores, scores.slice())).toEqual({
    championMean: expect.closeTo(0.495, 12),
    challengerMean: expect.closeTo(0.495, 12),
    mean: 0,
    p50: 0,
    p95: 0,
    largest: 0,
    sidesChanged: 0,
    rankCorrelation: expect.closeTo(1, 12),
    psi: 0,
  });
});

test('differences by hand', () => {
  const champion = Float64Array.of(0.25, 0.5, 0.75, 0.5);
  const challenger = Float64Array.of(0.5, 0.5, 0.25, 0.375);
  expect(scoreDifferences(champion, challenger)).toMatchObject({
    championMean: 0.5,
    challengerMean: 1.625 / 4,
    mean: (0.25 + 0 + 0.5 + 0.125) / 4,
    p50: 0.125,
    p95: 0.5,
    largest: 0.5,
    // To 0.5 is the other side, from there to 0.5 is not.
    sidesChanged: 3 / 4,
  });
});

test('of a hundred differences, the 95th is the 95th percentile', () => {
  const challenger = hundred((place) => (place + 1) / 200);
  expect(scoreDifferences(new Float64Array(100), challenger)).toMatchObject({
    p50: 50 / 200,
    p95: 95 / 200,
    largest: 100 / 200,
    rankCorrelation: undefined,
  });
});

test('the shift is over the tenths of what the champion states', () => {
  const champion = hundred((place) => place / 1_000);
  // Everybody of the lowest two tenths moves up, above all.
  const challenger = hundred((place) => (place < 20 ? 0.9 : place / 1_000));
  const expected = Array.from({ length: 10 }, () => 10);
  expect(scoreDifferences(champion, challenger).psi).toBeCloseTo(
    populationStabilityIndex(expected, [0, 0, 10, 10, 10, 10, 10, 10, 10, 30]),
    12,
  );
  expect(
    scoreDifferences(
      hundred(() => 0.5),
      hundred(() => 0.5),
    ).psi,
  ).toBe(0);
});
