import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { openArtifactFolder } from '../../../shared/models/artifact-folder.ts';
import { checkBundle } from '../../../shared/models/check-bundle.ts';
import { goldenProblems } from '../../../shared/models/golden-problems.ts';
import { isOfType } from '../../../shared/models/model-type.ts';
import { openScorer, type Scorer } from '../../../shared/models/open-scorer.ts';
import type { HybridCausalModel } from '../../../shared/models/manifest.ts';
import { root } from '../../support/source-files.ts';

let manifest: HybridCausalModel;
let scorer: Scorer<'hybrid_causal_model'>;

beforeAll(async () => {
  using folder = openArtifactFolder(path.join(root, 'models/macro-effects/1.0.0'));
  const check = await checkBundle(folder, '');
  if (!check.isSound || !isOfType(check.bundle.manifest, 'hybrid_causal_model')) {
    throw new Error('macro-effects is no sound bundle of a hybrid causal model');
  }
  manifest = check.bundle.manifest;
  const network = check.bundle.files.get(manifest.runtime.file);
  if (!network) throw new Error('the manifest names its network');
  scorer = await openScorer('hybrid_causal_model', manifest, network);
});
afterAll(() => scorer[Symbol.asyncDispose]());

/** How far apart two lists of numbers are: infinitely, where one lacks a number. */
function distance(told: readonly number[], expected: readonly number[]): number {
  if (told.length !== expected.length) return Infinity;
  return Math.max(...told.map((value, place) => Math.abs(value - (expected[place] ?? Infinity))));
}

it('says of every month what the trainer says', async () => {
  const months: Record<string, string>[] = [];
  const records = createReadStream(path.join(root, 'training/macro-effects/answers.csv.gz'))
    .pipe(createGunzip())
    .pipe(parse({ columns: true }));
  for await (const record of records) months.push(record as Record<string, string>);
  expect(months).toHaveLength(659);

  const { treatments, regimes } = manifest.outputs;
  const answers = [
    ...treatments.map(({ name }) => `effect_${name}`),
    ...regimes.map(({ name }) => name),
    'uncertainty',
  ];
  const inputs = manifest.feature_columns.map(({ name }) => name);
  const { scores, prepared } = await scorer.score(
    months.map((month) => Object.fromEntries(inputs.map((name) => [name, Number(month[name])]))),
  );
  expect([...prepared.problems]).toEqual([]);
  const distances = scores.map((score, row) => {
    if (score.kind !== 'scored') return Infinity;
    const told = [...score.causalEffects, ...score.regimeProbabilities, score.uncertainty];
    return distance(
      told,
      answers.map((name) => Number(months[row]?.[name])),
    );
  });
  expect(distances.filter((each) => !(each <= 1e-5))).toEqual([]);
});

it('gives its golden answers, also where little or nothing is known', async () => {
  const { cases } = manifest.golden;
  expect(cases.filter(({ input }) => Object.values(input).includes(null))).toHaveLength(2);
  expect(await goldenProblems('hybrid_causal_model', manifest, scorer)).toEqual([]);
});

it('does not go beyond what it has seen, however far the levels grow', async () => {
  const month = manifest.golden.cases[0]?.input ?? {};
  const grown = (factor: number) =>
    Object.fromEntries(
      Object.entries(month).map(([name, value]) =>
        // Prices, production and employment at all their lags: their growth rates stay.
        /CPIAUCSL|INDPRO|PAYEMS/.test(name) ? [name, Number(value) * factor] : [name, value],
      ),
    );
  const boom = { ...month, fred_INDPRO_lag_30d: 1e6 };
  const greaterBoom = { ...month, fred_INDPRO_lag_30d: 1e9 };
  const { scores } = await scorer.score([month, grown(8), boom, greaterBoom]);
  const told = scores.map((score) =>
    score.kind === 'scored' ? [...score.causalEffects, ...score.regimeProbabilities, score.uncertainty] : [],
  );
  const [asItWas, bySize, booming, boomingMore] = told;
  expect(distance(bySize ?? [], asItWas ?? [])).toBeLessThan(1e-4);
  expect(boomingMore).toEqual(booming);
  expect(distance(booming ?? [], asItWas ?? [])).toBeGreaterThan(0.01);
});
