import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import type { Manifest } from '../../../shared/models/manifest.ts';
import type { ChampionVersion } from '../../../shared/models/model-source.ts';
import { openServedModel } from '../../../shared/models/open-served-model.ts';
import type { ModelLease, ServedModel } from '../../../shared/models/served-model.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../../shared/telemetry/create-metrics.ts';
import { catchThreads, type CaughtThreads } from '../../support/catch-threads.ts';
import { openTestBundles, type TestBundles } from '../../support/open-test-bundles.ts';
import { until } from '../../support/until.ts';

const modelId = 'lead-conversion';
const lead = { age: 42, job: 'services', contact: 'telephone', month: 'may', euribor3m: 4.856 };

let resources: AsyncDisposableStack;
let bundles: TestBundles;
let metrics: Metrics;
let caught: CaughtThreads;
let logged: string[];

beforeEach(async () => {
  resources = new AsyncDisposableStack();
  bundles = resources.use(await openTestBundles());
  metrics = resources.use(createMetrics());
  caught = resources.use(catchThreads());
  logged = [];
});
afterEach(() => resources.disposeAsync());

async function open(ttlSeconds = 3_600): Promise<ServedModel> {
  const log = createLogger({ process: 'test', level: 'info', write: (line) => void logged.push(line) });
  return resources.use(await openServedModel({ modelId, source: bundles.source, ttlSeconds, metrics, log }));
}

function lease(model: ServedModel): ModelLease {
  const held = model.acquire();
  if (!held) throw new Error(`no version: ${model.problem()}`);
  return held;
}

async function scoreWith(held: ModelLease, row: Record<string, unknown> = lead): Promise<number> {
  const [answer] = await held.score([row]);
  return answer?.kind === 'scored' ? answer.probability : Number.NaN;
}

async function score(model: ServedModel): Promise<number> {
  using held = lease(model);
  return scoreWith(held);
}

async function loads(): Promise<Record<string, number>> {
  const { values } = await metrics.modelLoads.get();
  return Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]));
}

const errorLines = () => logged.filter((line) => line.includes('"level":"error"'));

it('loads the champion at the start and answers with it', async () => {
  const champion = await bundles.add('1.0.0');
  bundles.promote(champion);
  const model = await open();
  expect(model.problem()).toBeUndefined();
  expect(model.current()).toMatchObject({
    manifest: { model_id: modelId, version: '1.0.0' },
    sha256: champion.manifestSha256,
    loadedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
  });
  using held = lease(model);
  const [first, second] = await held.score([lead, lead]);
  expect(second).toEqual(first);
  expect(first).toEqual({
    kind: 'scored',
    probability: expect.any(Number) as number,
    confidence: expect.any(Number) as number,
    coverage: 5 / 19,
    logOdds: expect.any(Number) as number,
  });
  if (first?.kind !== 'scored') throw new Error('not scored');
  expect(first.confidence).toBe(Math.max(first.probability, 1 - first.probability));
  expect(await loads()).toEqual({ loaded: 1 });
});

it('answers rows that cannot be scored by naming their columns, and the others', async () => {
  const champion = await bundles.add('1.0.0', {
    change: (manifest) => ({
      ...manifest,
      feature_columns: manifest.feature_columns.map((column) =>
        column.name === 'age' || column.name === 'job'
          ? { ...column, missing: { strategy: 'reject' } }
          : column,
      ),
    }),
  });
  bundles.promote(champion);
  using held = lease(await open());
  expect(await held.score([{ ...lead, age: 'forty' }, lead, { age: 42 }, {}])).toEqual([
    { kind: 'rejected', message: 'no usable value of age (invalid)' },
    expect.objectContaining({ kind: 'scored' }),
    { kind: 'rejected', message: 'no usable value of job (missing)' },
    { kind: 'rejected', message: 'no usable value of age (missing), job (missing)' },
  ]);
  expect(await held.score([])).toEqual([]);
});

it('opens without a version when none was promoted, and serves the first one when it is told', async () => {
  const model = await open();
  expect(model.acquire()).toBeUndefined();
  expect(model.current()).toBeUndefined();
  expect(model.problem()).toBe('no version of it was promoted yet');
  bundles.promote(await bundles.add('1.0.0'));
  await model.refresh();
  expect(model.problem()).toBeUndefined();
  expect(await score(model)).toBeGreaterThan(0);
});

it('swaps to another champion when it is told; who began with the one before ends with it', async () => {
  bundles.promote(await bundles.add('1.0.0'));
  const next = await bundles.add('1.1.0', { intercept: 2 });
  const model = await open();
  const before = lease(model);
  const probability = await scoreWith(before);

  bundles.promote(next);
  await model.refresh();
  expect(model.current()).toMatchObject({ manifest: { version: '1.1.0' }, sha256: next.manifestSha256 });
  expect(await score(model)).toBeGreaterThan(probability + 0.01);
  expect(before.manifest.version).toBe('1.0.0');
  expect(await scoreWith(before)).toBe(probability);
  expect(caught.alive()).toBe(2);

  before[Symbol.dispose]();
  before[Symbol.dispose]();
  await until(() => caught.alive() === 1);
  expect(await score(model)).toBeGreaterThan(probability + 0.01);
  expect(await loads()).toEqual({ loaded: 2 });
});

it('swaps by itself after its time', async () => {
  bundles.promote(await bundles.add('1.0.0'));
  const model = await open(0.05);
  bundles.promote(await bundles.add('1.1.0', { intercept: 2 }));
  await until(() => model.current()?.manifest.version === '1.1.0');
});

it('waits, where its time is longer than a timer can take', async () => {
  bundles.promote(await bundles.add('1.0.0'));
  const timers = jest.spyOn(globalThis, 'setTimeout');
  resources.defer(() => timers.mockRestore());
  await open(31_536_000);
  expect(timers.mock.calls.map(([, delayMs]) => delayMs)).toEqual([2 ** 31 - 1]);
});

it('does not load again what it has', async () => {
  bundles.promote(await bundles.add('1.0.0'));
  const model = await open();
  await Promise.all([model.refresh(), model.refresh(), model.refresh()]);
  expect(caught.threads).toHaveLength(1);
  expect(await loads()).toEqual({ loaded: 1 });
});

it('looks once more when it is told while it looks', async () => {
  const first = await bundles.add('1.0.0');
  const second = await bundles.add('1.1.0');
  bundles.promote(first);
  const model = await open();
  bundles.promote(second);
  const loading = model.refresh();
  // The look that is under way has asked for the champion already.
  bundles.promote(first);
  await model.refresh();
  await loading;
  expect(model.current()?.sha256).toBe(first.manifestSha256);
});

async function flipByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  await writeFile(file, bytes);
}

const withWrongGolden = (manifest: Manifest): Manifest => ({
  ...manifest,
  golden: {
    ...manifest.golden,
    cases: manifest.golden.cases.map(({ input, expected }, place) => ({
      input,
      expected: place === 3 ? { probability: 0.75 } : expected,
    })),
  },
});

type Damage = (version: ChampionVersion) => Promise<void>;
describe.each<[string, Damage, string]>([
  [
    'a byte of its network is another one',
    (version) => flipByte(bundles.pathOf(version, 'model.onnx')),
    'model.onnx has the SHA-256',
  ],
  [
    'its network is cut short',
    (version) => truncate(bundles.pathOf(version, 'model.onnx'), 1_000),
    'model.onnx has 1000 bytes',
  ],
  ['its network is gone', (version) => rm(bundles.pathOf(version, 'model.onnx')), 'model.onnx is missing'],
  [
    'its manifest is another one than the registered',
    (version) => appendFile(bundles.pathOf(version, 'manifest.json'), ' '),
    'manifest.json has the SHA-256',
  ],
])('a version is refused when %s', (_title, damage, reason) => {
  it('and the last good one goes on answering; said once, counted; mended, it is served', async () => {
    bundles.promote(await bundles.add('1.0.0'));
    const bad = await bundles.add('1.1.0', { intercept: 2 });
    const model = await open();
    const probability = await score(model);
    await damage(bad);
    bundles.promote(bad);
    await model.refresh();
    await model.refresh();

    expect(model.problem()).toContain(`version 1.1.0 is refused: ${reason}`);
    expect(model.current()?.manifest.version).toBe('1.0.0');
    expect(await score(model)).toBe(probability);
    expect(await loads()).toEqual({ loaded: 1, refused: 2 });
    expect(errorLines()).toHaveLength(1);
    expect(errorLines()[0]).toContain(reason);
    expect(caught.threads).toHaveLength(1);

    await bundles.add('1.1.0', { intercept: 2 });
    await model.refresh();
    expect(model.current()?.manifest.version).toBe('1.1.0');
    expect(model.problem()).toBeUndefined();
  });

  it('and nothing answers when there is no good one', async () => {
    const bad = await bundles.add('1.0.0');
    await damage(bad);
    bundles.promote(bad);
    const model = await open();
    expect(model.acquire()).toBeUndefined();
    expect(model.problem()).toContain(reason);
  });
});

it.each<[string, (manifest: Manifest) => Manifest, string]>([
  [
    'a golden input gives another output',
    withWrongGolden,
    'golden.cases[3]: expected the probability 0.75 within 0.00001, got 0.0',
  ],
  [
    'a golden input is not scored',
    (manifest) => ({
      ...manifest,
      golden: {
        ...manifest.golden,
        cases: [...manifest.golden.cases.slice(0, 1), { input: {}, expected: { probability: 0.5 } }],
      },
      feature_columns: manifest.feature_columns.map((column) =>
        column.name === 'age' ? { ...column, missing: { strategy: 'reject' } } : column,
      ),
    }),
    'golden.cases[1]: expected the probability 0.5 within 0.00001, got none: no usable value of age (missing)',
  ],
  [
    'its network is another than its manifest describes',
    (manifest) => ({ ...manifest, runtime: { ...manifest.runtime, members: 4 } }),
    'its log_odds has the shape [rows, 5], not [rows, 4]',
  ],
  [
    'its manifest is that of another model',
    (manifest) => ({ ...manifest, model_id: 'churn' }),
    'its manifest is that of churn 1.1.0',
  ],
])('a version whose checksums are right is refused when %s', async (_title, change, reason) => {
  bundles.promote(await bundles.add('1.0.0'));
  const model = await open();
  bundles.promote(await bundles.add('1.1.0', { change }));
  await model.refresh();
  expect(model.problem()).toContain(`version 1.1.0 is refused: `);
  expect(model.problem()).toContain(reason);
  expect(model.current()?.manifest.version).toBe('1.0.0');
  expect(await loads()).toEqual({ loaded: 1, refused: 1 });
  expect(caught.alive()).toBe(1);
});

it('keeps its version while a store is away, and looks again by itself', async () => {
  const first = await bundles.add('1.0.0');
  bundles.promote(first);
  const model = await open();
  bundles.promote(new StoreUnavailableError('dynamodb', new Error('gone')));
  await model.refresh();
  await model.refresh();
  expect(model.problem()).toBe('its champion cannot be looked up: DynamoDB does not answer');
  expect(await score(model)).toBeGreaterThan(0);
  expect(errorLines()).toHaveLength(1);
  bundles.promote(await bundles.add('1.1.0'));
  await until(() => model.current()?.manifest.version === '1.1.0');
  expect(model.problem()).toBeUndefined();
});

it('loads its version again when the thread breaks, and fails only what was in hand', async () => {
  bundles.promote(await bundles.add('1.0.0'));
  const model = await open();
  const probability = await score(model);
  using held = lease(model);
  caught.threads[0]?.postMessage(null);
  await expect(held.score([lead])).rejects.toMatchObject({ code: 'MODEL_FAILED', kind: 'transient' });
  await until(() => model.problem() === undefined && caught.threads.length === 2);
  expect(await score(model)).toBe(probability);
  expect(errorLines()).toHaveLength(1);
  expect(errorLines()[0]).toContain('version 1.0.0 broke down');
});

it('ends its threads when it is closed, one that is being loaded too', async () => {
  bundles.promote(await bundles.add('1.0.0'));
  const model = await open();
  bundles.promote(await bundles.add('1.1.0'));
  const loading = model.refresh();
  await model[Symbol.asyncDispose]();
  await loading;
  expect(caught.alive()).toBe(0);
  expect(model.acquire()).toBeUndefined();
  await model.refresh();
  expect(caught.alive()).toBe(0);
});

describe('metrics', () => {
  async function text(name: string): Promise<string[]> {
    const lines = (await metrics.registry.getSingleMetricAsString(name)).split('\n');
    return lines.filter((line) => !line.startsWith('#'));
  }

  it('tell coverage, problems, and after enough rows the drift of what is served', async () => {
    bundles.promote(await bundles.add('1.0.0'));
    const next = await bundles.add('1.1.0');
    const model = await open();
    {
      using held = lease(model);
      await held.score(Array.from({ length: 999 }, () => ({ ...lead, job: 'pilot' })));
      expect(await text('presage_feature_drift_psi')).toEqual([]);
      await held.score([lead]);
    }
    expect(await text('presage_feature_coverage_ratio')).toEqual(
      expect.arrayContaining([
        `presage_feature_coverage_ratio_bucket{le="0.2",model="lead-conversion"} 0`,
        `presage_feature_coverage_ratio_bucket{le="0.3",model="lead-conversion"} 1000`,
        `presage_feature_coverage_ratio_count{model="lead-conversion"} 1000`,
      ]),
    );
    expect(await text('presage_feature_problems_total')).toEqual(
      expect.arrayContaining([
        'presage_feature_problems_total{model="lead-conversion",feature="job",problem="unknown_category"} 999',
        'presage_feature_problems_total{model="lead-conversion",feature="loan",problem="missing"} 1000',
      ]),
    );
    const drift = await metrics.featureDriftPsi.get();
    expect(drift.values.map(({ labels }) => labels.feature)).toHaveLength(19);
    // All rows are alike, the training's were not.
    expect(drift.values.filter(({ value }) => !(value > 0.02))).toEqual([]);
    const scoreDrift = await metrics.scoreDriftPsi.get();
    expect(scoreDrift.values).toEqual([
      { labels: { model: modelId, version: '1.0.0' }, value: expect.any(Number) as number },
    ]);
    expect(scoreDrift.values[0]?.value).toBeGreaterThan(1);

    bundles.promote(next);
    await model.refresh();
    await until(() => caught.alive() === 1);
    expect(await text('presage_feature_drift_psi')).toEqual([]);
    expect(await text('presage_score_drift_psi')).toEqual([]);
  });

  it('leave out the golden inputs', async () => {
    bundles.promote(await bundles.add('1.0.0'));
    const model = await open();
    expect(await text('presage_feature_coverage_ratio')).toEqual([]);
    await score(model);
    expect(await text('presage_feature_coverage_ratio')).not.toEqual([]);
  });
});
