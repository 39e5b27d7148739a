import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  bundleFolder,
  openModelsCommand,
  type ModelsCommand,
  type ModelsRegistry,
} from '../../support/open-models-command.ts';
import { leadConversionFolder } from '../../support/open-test-bundles.ts';
import { runPresage } from '../../support/run-presage.ts';
import { mainFile } from '../../support/run-up.ts';

let command: ModelsCommand;
let registry: ModelsRegistry;
beforeAll(async () => {
  command = await openModelsCommand();
});
afterAll(() => command[Symbol.asyncDispose]());
beforeEach(async () => {
  registry = await command.openRegistry();
});
afterEach(() => registry[Symbol.asyncDispose]());

async function flipLastByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(file, bytes);
}

test('a flipped byte: verify names the file, and the version cannot be promoted', async () => {
  await registry.registerAll('1.0.0', '2.0.0');
  const sound = await registry.models('verify');
  expect(sound).toEqual({
    exitCode: 0,
    output: 'ok    lead-conversion 1.0.0\nok    lead-conversion 2.0.0\n',
    messages: '',
  });
  await flipLastByte(await registry.storedFile('2.0.0', 'model.onnx'));
  const broken =
    /^fail {2}lead-conversion 2\.0\.0 {2}model\.onnx: has the SHA-256 [0-9a-f]{64}, the manifest says /m;
  const found = await registry.models('verify');
  expect(found.exitCode).toBe(1);
  expect(found.output).toMatch(broken);
  expect(found.output).toContain('ok    lead-conversion 1.0.0\n');
  expect(found.messages).toBe('1 of 2 must not be served.\n');
  expect((await registry.models('verify', 'lead-conversion', '1.0.0')).exitCode).toBe(0);
  const json = JSON.parse(
    (await registry.models('verify', 'lead-conversion', '2.0.0', '--json')).output,
  ) as unknown;
  expect(json).toMatchObject({
    ok: false,
    verified: [
      { model_id: 'lead-conversion', version: '2.0.0', ok: false, problems: [{ file: 'model.onnx' }] },
    ],
  });

  await registry.models('promote', 'lead-conversion', '1.0.0');
  for (const argv of [
    ['promote', 'lead-conversion', '2.0.0'],
    ['shadow', 'lead-conversion', '2.0.0'],
  ]) {
    const refused = await registry.models(...argv);
    expect(refused).toMatchObject({ exitCode: 1, output: '' });
    expect(refused.messages).toMatch(
      /^lead-conversion 2\.0\.0 must not be served:\n {2}model\.onnx: has the SHA-256 /,
    );
  }
  expect(await registry.champion()).toBe('1.0.0');

  // Registering the same bundle again mends its files.
  await registry.registerAll('2.0.0');
  expect((await registry.models('verify')).exitCode).toBe(0);
});

test('a former champion that is broken is not gone back to', async () => {
  await registry.registerAll('1.0.0', '2.0.0');
  await registry.models('promote', 'lead-conversion', '1.0.0');
  await registry.models('promote', 'lead-conversion', '2.0.0');
  await rm(await registry.storedFile('1.0.0', 'reliability.svg'));
  const refused = await registry.models('rollback', 'lead-conversion');
  expect(refused).toMatchObject({ exitCode: 1, output: '' });
  expect(refused.messages).toContain('reliability.svg: is missing');
  expect(await registry.champion()).toBe('2.0.0');
});

test('a manifest that was rewritten is not what the registry knows', async () => {
  await registry.registerAll('1.0.0');
  const file = await registry.storedFile('1.0.0', 'manifest.json');
  const manifest = await readFile(file, 'utf8');
  await writeFile(file, manifest.replace('"tolerance": 1e-05', '"tolerance": 1e-03'));
  const { exitCode, output } = await registry.models('verify');
  expect(exitCode).toBe(1);
  expect(output).toMatch(
    /^fail {2}lead-conversion 1\.0\.0 {2}manifest\.json: has the SHA-256 .*, the registry says /,
  );
  expect((await registry.models('info', 'lead-conversion')).messages).toContain(
    'manifest.json: has the SHA-256',
  );
});

test('golden inputs that get another answer: the bundle is not even registered', async () => {
  await command.bundles.add('4.0.0', {
    change: (manifest) => {
      const [first, ...others] = manifest.golden.cases;
      const cases = first ? [{ ...first, expected: { probability: 0.75 } }, ...others] : [];
      return { ...manifest, golden: { ...manifest.golden, cases } };
    },
  });
  const mismatch =
    /model\.onnx: golden\.cases\[0\]: expected the probability 0\.75 within 0\.00001, got 0\.\d+/;
  const refused = await registry.models('register', bundleFolder(command.bundles, '4.0.0'));
  expect(refused).toMatchObject({ exitCode: 1, output: '' });
  expect(refused.messages).toMatch(mismatch);
  const verified = await registry.models('verify', '--dir', bundleFolder(command.bundles, '4.0.0'));
  expect(verified.exitCode).toBe(1);
  expect(verified.output).toMatch(mismatch);
  expect((await registry.models('list')).output).toBe('No model is registered.\n');
});

test('verify looks at a folder without a registry', async () => {
  const verify = (folder: string) => runPresage(['models', 'verify', '--dir', folder, '--json'], {});
  const sound = await verify(leadConversionFolder);
  expect(sound.exitCode).toBe(0);
  expect(JSON.parse(sound.output)).toMatchObject({
    ok: true,
    verified: [{ model_id: 'lead-conversion', version: '1.0.0', ok: true, problems: [] }],
  });
  const empty = await verify(registry.artifacts);
  expect(empty.exitCode).toBe(1);
  expect(JSON.parse(empty.output)).toEqual({
    ok: false,
    verified: [
      {
        model_id: null,
        version: null,
        sha256: null,
        ok: false,
        problems: [{ file: 'manifest.json', problem: 'is missing' }],
      },
    ],
  });
  expect(await verify('/no/such/folder')).toEqual({
    exitCode: 1,
    output: '',
    messages: 'There is no folder /no/such/folder.\n',
  });
  expect((await registry.models('verify', 'lead-conversion', '--dir', '.')).exitCode).toBe(2);
});

test('running a model leaves nothing behind and reports to nobody', async () => {
  const temporary = await mkdtemp(path.join(registry.artifacts, 'tmp-'));
  // A process of its own, without what the tests forbid for all of them.
  const { ORT_DISABLE_TELEMETRY: _, ...environment } = process.env;
  const child = spawn(process.execPath, [mainFile, 'models', 'verify', '--dir', leadConversionFolder], {
    cwd: temporary,
    env: { ...environment, TMPDIR: temporary },
    stdio: 'ignore',
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(await readdir(temporary)).toEqual([]);
});
