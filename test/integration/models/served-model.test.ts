import { StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import {
  lead,
  lease,
  openServedModelRoom,
  score,
  scoreWith,
  type ServedModelRoom,
} from '../../support/open-served-model-room.ts';
import { until } from '../../support/until.ts';

let room: ServedModelRoom;
beforeEach(async () => {
  room = await openServedModelRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

it('loads the champion at the start and answers with it', async () => {
  const champion = await room.bundles.add('1.0.0');
  room.bundles.promote(champion);
  const model = await room.open();
  expect(model.problem()).toBeUndefined();
  expect(model.current()).toMatchObject({
    manifest: { model_id: 'lead-conversion', version: '1.0.0' },
    sha256: champion.manifestSha256,
    loadedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
  });
  using held = lease(model);
  const [first, second] = await held.score([lead, lead]);
  expect(second).toEqual(first);
  expect(first).toEqual({
    kind: 'scored',
    type: 'binary_classifier',
    probability: expect.any(Number) as number,
    confidence: expect.any(Number) as number,
    coverage: 5 / 19,
    logOdds: expect.any(Number) as number,
  });
  if (first?.kind !== 'scored') throw new Error('not scored');
  expect(first.confidence).toBe(Math.max(first.probability, 1 - first.probability));
  expect(await room.loads()).toEqual({ loaded: 1 });
});

it('answers rows that cannot be scored by naming their columns, and the others', async () => {
  const champion = await room.bundles.add('1.0.0', {
    change: (manifest) => ({
      ...manifest,
      feature_columns: manifest.feature_columns.map((column) =>
        column.name === 'age' || column.name === 'job'
          ? { ...column, missing: { strategy: 'reject' } }
          : column,
      ),
    }),
  });
  room.bundles.promote(champion);
  using held = lease(await room.open());
  expect(await held.score([{ ...lead, age: 'forty' }, lead, { age: 42 }, {}])).toEqual([
    { kind: 'rejected', message: 'no usable value of age (invalid)' },
    expect.objectContaining({ kind: 'scored' }),
    { kind: 'rejected', message: 'no usable value of job (missing)' },
    { kind: 'rejected', message: 'no usable value of age (missing), job (missing)' },
  ]);
  expect(await held.score([])).toEqual([]);
});

it('opens without a version when none was promoted, and serves the first one when it is told', async () => {
  const model = await room.open();
  expect(model.acquire()).toBeUndefined();
  expect(model.current()).toBeUndefined();
  expect(model.problem()).toBe('no version of it was promoted yet');
  expect(model.isAssigned()).toBe(false);
  room.bundles.promote(await room.bundles.add('1.0.0'));
  await model.refresh();
  expect(model.problem()).toBeUndefined();
  expect(model.isAssigned()).toBe(true);
  expect(await score(model)).toBeGreaterThan(0);
});

it('swaps to another champion when it is told; who began with the one before ends with it', async () => {
  room.bundles.promote(await room.bundles.add('1.0.0'));
  const next = await room.bundles.add('1.1.0', { intercept: 2 });
  const model = await room.open();
  const before = lease(model);
  const probability = await scoreWith(before);

  room.bundles.promote(next);
  await model.refresh();
  expect(model.current()).toMatchObject({ manifest: { version: '1.1.0' }, sha256: next.manifestSha256 });
  expect(await score(model)).toBeGreaterThan(probability + 0.01);
  expect(before.manifest.version).toBe('1.0.0');
  expect(await scoreWith(before)).toBe(probability);
  expect(room.caught.alive()).toBe(2);

  before[Symbol.dispose]();
  before[Symbol.dispose]();
  await until(() => room.caught.alive() === 1);
  expect(await score(model)).toBeGreaterThan(probability + 0.01);
  expect(await room.loads()).toEqual({ loaded: 2 });
});

it('swaps by itself after its time', async () => {
  room.bundles.promote(await room.bundles.add('1.0.0'));
  const model = await room.open(0.05);
  room.bundles.promote(await room.bundles.add('1.1.0', { intercept: 2 }));
  await until(() => model.current()?.manifest.version === '1.1.0');
});

it('waits, where its time is longer than a timer can take', async () => {
  room.bundles.promote(await room.bundles.add('1.0.0'));
  const timers = jest.spyOn(globalThis, 'setTimeout');
  using resources = new DisposableStack();
  resources.defer(() => timers.mockRestore());
  await room.open(31_536_000);
  expect(timers.mock.calls.map(([, delayMs]) => delayMs)).toEqual([2 ** 31 - 1]);
});

it('does not load again what it has', async () => {
  room.bundles.promote(await room.bundles.add('1.0.0'));
  const model = await room.open();
  await Promise.all([model.refresh(), model.refresh(), model.refresh()]);
  expect(room.caught.threads).toHaveLength(1);
  expect(await room.loads()).toEqual({ loaded: 1 });
});

it('looks once more when it is told while it looks', async () => {
  const first = await room.bundles.add('1.0.0');
  const second = await room.bundles.add('1.1.0');
  room.bundles.promote(first);
  const model = await room.open();
  room.bundles.promote(second);
  const loading = model.refresh();
  // The look that is under way has asked for the champion already.
  room.bundles.promote(first);
  await model.refresh();
  await loading;
  expect(model.current()?.sha256).toBe(first.manifestSha256);
});

it('keeps its version while a store is away, and looks again by itself', async () => {
  const first = await room.bundles.add('1.0.0');
  room.bundles.promote(first);
  const model = await room.open();
  room.bundles.promote(new StoreUnavailableError('dynamodb', new Error('gone')));
  await model.refresh();
  await model.refresh();
  expect(model.problem()).toBe('its champion cannot be looked up: DynamoDB does not answer');
  expect(await score(model)).toBeGreaterThan(0);
  expect(room.errorLines()).toHaveLength(1);
  room.bundles.promote(await room.bundles.add('1.1.0'));
  await until(() => model.current()?.manifest.version === '1.1.0');
  expect(model.problem()).toBeUndefined();
});

it('loads its version again when the thread breaks, and fails only what was in hand', async () => {
  room.bundles.promote(await room.bundles.add('1.0.0'));
  const model = await room.open();
  const probability = await score(model);
  using held = lease(model);
  room.caught.threads[0]?.postMessage(null);
  await expect(held.score([lead])).rejects.toMatchObject({ code: 'MODEL_FAILED', kind: 'transient' });
  await until(() => model.problem() === undefined && room.caught.threads.length === 2);
  expect(await score(model)).toBe(probability);
  expect(room.errorLines()).toHaveLength(1);
  expect(room.errorLines()[0]).toContain('version 1.0.0 broke down');
});

it('ends its threads when it is closed, one that is being loaded too', async () => {
  room.bundles.promote(await room.bundles.add('1.0.0'));
  const model = await room.open();
  room.bundles.promote(await room.bundles.add('1.1.0'));
  const loading = model.refresh();
  await model[Symbol.asyncDispose]();
  await loading;
  expect(room.caught.alive()).toBe(0);
  expect(model.acquire()).toBeUndefined();
  await model.refresh();
  expect(room.caught.alive()).toBe(0);
});
