import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import type { BinaryClassifier } from '../../../shared/models/manifest.ts';
import type { WantedVersion } from '../../../shared/models/model-source.ts';
import { openServedModelRoom, score, type ServedModelRoom } from '../../support/open-served-model-room.ts';

let room: ServedModelRoom;
beforeEach(async () => {
  room = await openServedModelRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

async function flipByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  await writeFile(file, bytes);
}

const withWrongGolden = (manifest: BinaryClassifier): BinaryClassifier => ({
  ...manifest,
  golden: {
    ...manifest.golden,
    cases: manifest.golden.cases.map(({ input, expected }, place) => ({
      input,
      expected: place === 3 ? { probability: 0.75 } : expected,
    })),
  },
});

type Damage = (version: WantedVersion) => Promise<void>;
describe.each<[string, Damage, string]>([
  [
    'a byte of its network is another one',
    (version) => flipByte(room.bundles.pathOf(version, 'model.onnx')),
    'model.onnx has the SHA-256',
  ],
  [
    'its network is cut short',
    (version) => truncate(room.bundles.pathOf(version, 'model.onnx'), 1_000),
    'model.onnx has 1000 bytes',
  ],
  [
    'its network is gone',
    (version) => rm(room.bundles.pathOf(version, 'model.onnx')),
    'model.onnx is missing',
  ],
  [
    'its manifest is another one than the registered',
    (version) => appendFile(room.bundles.pathOf(version, 'manifest.json'), ' '),
    'manifest.json has the SHA-256',
  ],
])('a version is refused when %s', (_title, damage, reason) => {
  it('and the last good one goes on answering; said once, counted; mended, it is served', async () => {
    room.bundles.promote(await room.bundles.add('1.0.0'));
    const bad = await room.bundles.add('1.1.0', { intercept: 2 });
    const model = await room.open();
    const probability = await score(model);
    await damage(bad);
    room.bundles.promote(bad);
    await model.refresh();
    await model.refresh();

    expect(model.problem()).toContain(`version 1.1.0 is refused: ${reason}`);
    expect(model.current()?.manifest.version).toBe('1.0.0');
    expect(await score(model)).toBe(probability);
    expect(await room.loads()).toEqual({ loaded: 1, refused: 2 });
    expect(room.errorLines()).toHaveLength(1);
    expect(room.errorLines()[0]).toContain(reason);
    expect(room.caught.threads).toHaveLength(1);

    await room.bundles.add('1.1.0', { intercept: 2 });
    await model.refresh();
    expect(model.current()?.manifest.version).toBe('1.1.0');
    expect(model.problem()).toBeUndefined();
  });

  it('and nothing answers when there is no good one', async () => {
    const bad = await room.bundles.add('1.0.0');
    await damage(bad);
    room.bundles.promote(bad);
    const model = await room.open();
    expect(model.acquire()).toBeUndefined();
    expect(model.problem()).toContain(reason);
  });
});

it.each<[string, (manifest: BinaryClassifier) => BinaryClassifier, string]>([
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
  room.bundles.promote(await room.bundles.add('1.0.0'));
  const model = await room.open();
  room.bundles.promote(await room.bundles.add('1.1.0', { change }));
  await model.refresh();
  expect(model.problem()).toContain(`version 1.1.0 is refused: `);
  expect(model.problem()).toContain(reason);
  expect(model.current()?.manifest.version).toBe('1.0.0');
  expect(await room.loads()).toEqual({ loaded: 1, refused: 1 });
  expect(room.caught.alive()).toBe(1);
});
