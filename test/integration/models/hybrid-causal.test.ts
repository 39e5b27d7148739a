import { goldenProblems } from '../../../shared/models/golden-problems.ts';
import { hybridCausalModel } from '../../../shared/models/hybrid-causal-model.ts';
import type { HybridCausalModel } from '../../../shared/models/manifest.ts';
import { openScorer, type Scorer } from '../../../shared/models/open-scorer.ts';
import { openServedModel } from '../../../shared/models/open-served-model.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createMetrics } from '../../../shared/telemetry/create-metrics.ts';
import { readSmallCausal, readSmallCausalBundle } from '../../support/small-causal.ts';

let manifest: HybridCausalModel;
let scorer: Scorer<'hybrid_causal_model'>;

beforeAll(async () => {
  const read = await readSmallCausal();
  manifest = read.manifest;
  scorer = await openScorer('hybrid_causal_model', manifest, read.network);
});
afterAll(() => scorer[Symbol.asyncDispose]());

it('answers effects, regimes and uncertainty as its golden inputs say', async () => {
  const { cases } = manifest.golden;
  const { scores } = await scorer.score(cases.map(({ input }) => input));
  expect(scores).toEqual(
    cases.map(({ expected }) => ({
      kind: 'scored',
      type: 'hybrid_causal_model',
      coverage: 1,
      causalEffects: expected.causal_effects.map((effect) => expect.closeTo(effect, 5) as number),
      regimeProbabilities: expected.regime_probabilities.map((each) => expect.closeTo(each, 5) as number),
      uncertainty: expect.closeTo(expected.uncertainty, 5) as number,
    })),
  );
  expect(await goldenProblems('hybrid_causal_model', manifest, scorer)).toEqual([]);
});

it('names each figure of a golden input that is missed, and only those', async () => {
  const [first, ...others] = manifest.golden.cases;
  if (!first) throw new Error('there is a golden input');
  const { causal_effects: effects, uncertainty } = first.expected;
  const expected = {
    ...first.expected,
    causal_effects: effects.with(1, 7),
    uncertainty: uncertainty + 1,
  };
  const golden = { ...manifest.golden, cases: [...others, { ...first, expected }] };
  expect(await goldenProblems('hybrid_causal_model', { ...manifest, golden }, scorer)).toEqual([
    expect.stringContaining(`golden.cases[${others.length}]: expected the causal_effects[1] 7 within`),
    expect.stringContaining(`golden.cases[${others.length}]: expected the uncertainty ${uncertainty + 1}`),
  ]);
});

it.each([
  ['an effect is NaN', [0, Number.NaN], [0.5, 0.25, 0.25], 1],
  ['an effect is infinite', [Infinity, 0], [0.5, 0.25, 0.25], 1],
  ['a probability is NaN', [0, 0], [0.5, Number.NaN, 0.5], 1],
  ['a probability is negative', [0, 0], [1.25, -0.25, 0], 1],
  ['the probabilities do not add up to 1', [0, 0], [0.5, 0.25, 0.2], 1],
  ['the standard deviation is negative', [0, 0], [0.5, 0.25, 0.25], -1],
  ['the standard deviation is infinite', [0, 0], [0.5, 0.25, 0.25], Infinity],
])('has no answer when %s', (_title, effects, probabilities, deviation) => {
  const read = hybridCausalModel.reader(manifest);
  const answer = (...values: number[][]) => read(values.map((each) => Float32Array.from(each)));
  expect(answer([0, 0], [0.5, 0.25, 0.25], [1])).toMatchObject({ uncertainty: 1 });
  expect(answer(effects, probabilities, [deviation])).toBeUndefined();
});

it('is refused by who can use another kind of model only', async () => {
  const bundle = await readSmallCausalBundle();
  using metrics = createMetrics();
  await using model = await openServedModel({
    modelId: 'small-causal',
    source: {
      alias: 'champion',
      wanted: () => Promise.resolve({ version: '1.0.0', manifestSha256: bundle.manifestSha256 }),
      bundle: () => Promise.resolve({ isSound: true, bundle }),
    },
    types: ['binary_classifier'],
    ttlSeconds: 3_600,
    metrics,
    log: createLogger({ process: 'test', level: 'silent' }),
  });
  expect(model.current()).toBeUndefined();
  expect(model.problem()).toBe(
    'version 1.0.0 is refused: it is a hybrid_causal_model, and only binary_classifier can be used here',
  );
});
