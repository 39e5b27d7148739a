import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openArtifactFolder } from '../../../shared/models/artifact-folder.ts';
import { checkBundle, checkManifest } from '../../../shared/models/check-bundle.ts';
import { sha256Of } from '../../../shared/models/file-problem.ts';
import { leadConversionFolder } from '../../support/open-test-bundles.ts';

let directory: string;
let pathOf: (name: string) => string;
let manifestSha256: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'presage-bundle-'));
  await cp(leadConversionFolder, directory, { recursive: true });
  pathOf = (name) => path.join(directory, name);
  manifestSha256 = sha256Of(await readFile(pathOf('manifest.json')));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function problems(expectedSha256?: string): Promise<string[]> {
  using folder = openArtifactFolder(directory);
  const check = await checkBundle(folder, '', expectedSha256);
  return check.isSound ? [] : check.problems.map(({ file, problem }) => `${file} ${problem}`);
}

async function flipByte(file: string, place: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

test('a bundle as it was made is sound, and all of it is read', async () => {
  using folder = openArtifactFolder(directory);
  const check = await checkBundle(folder, '', manifestSha256);
  expect(check).toMatchObject({ isSound: true, bundle: { manifestSha256, manifest: { version: '1.0.0' } } });
  const files = check.isSound ? check.bundle.files : new Map<string, Uint8Array>();
  expect([...files.keys()]).toEqual(['model.onnx', 'reliability.svg']);
  expect(files.get('model.onnx')).toEqual(await readFile(pathOf('model.onnx')));
});

test('a flipped byte is found, wherever it is', async () => {
  const { length } = await readFile(pathOf('model.onnx'));
  for (const place of [0, length >> 1, length - 1]) {
    await flipByte(pathOf('model.onnx'), place);
    expect(await problems()).toEqual([
      expect.stringMatching(/^model\.onnx has the SHA-256 [0-9a-f]{64}, the manifest says [0-9a-f]{64}$/),
    ]);
    await flipByte(pathOf('model.onnx'), place);
  }
  expect(await problems()).toEqual([]);
});

test('each file is named, with what is wrong with it', async () => {
  const { length } = await readFile(pathOf('model.onnx'));
  await truncate(pathOf('model.onnx'), length - 1);
  await rm(pathOf('reliability.svg'));
  await writeFile(pathOf('notes.txt'), 'mine');
  expect(await problems()).toEqual([
    `model.onnx has ${length - 1} bytes, the manifest says ${length}`,
    'reliability.svg is missing',
    'notes.txt is not in the manifest',
  ]);
  await writeFile(pathOf('model.onnx'), new Uint8Array(length + 1));
  expect((await problems())[0]).toBe(`model.onnx has more bytes than the ${length} of the manifest`);
});

test('no file is believed when the manifest is another than was registered', async () => {
  await flipByte(pathOf('manifest.json'), 100);
  const flipped = sha256Of(await readFile(pathOf('manifest.json')));
  expect(await problems(manifestSha256)).toEqual([
    `manifest.json has the SHA-256 ${flipped}, the registry says ${manifestSha256}`,
  ]);
  using folder = openArtifactFolder(directory);
  expect(await checkManifest(folder, '', manifestSha256)).toMatchObject({ isSound: false });
});

test('a manifest that says nothing usable is told by its fields', async () => {
  await writeFile(pathOf('manifest.json'), '{"model_type":"binary_classifier","version":"one"}');
  expect(await problems()).toEqual(
    expect.arrayContaining([
      'manifest.json model_id: is missing',
      'manifest.json version: must be a semantic version such as 1.2.3',
    ]),
  );
  await rm(pathOf('manifest.json'));
  expect(await problems()).toEqual(['manifest.json is missing']);
});
