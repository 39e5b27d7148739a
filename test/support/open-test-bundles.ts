import { mkdtemp, readFile, rm, writeFile, cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openArtifactFolder } from '../../shared/models/artifact-folder.ts';
import { checkBundle } from '../../shared/models/check-bundle.ts';
import { sha256Of } from '../../shared/models/file-problem.ts';
import { manifestFileName } from '../../shared/models/manifest-fields.ts';
import type { BinaryClassifier } from '../../shared/models/manifest.ts';
import type { ModelAlias } from '../../shared/models/model-registry.ts';
import type { ModelSource, WantedVersion } from '../../shared/models/model-source.ts';
import { isOfType } from '../../shared/models/model-type.ts';
import { parseManifest } from '../../shared/models/parse-manifest.ts';
import { root } from './source-files.ts';

export const leadConversionFolder = path.join(root, 'models/lead-conversion/1.0.0');

export async function readLeadConversion(): Promise<{ manifest: BinaryClassifier; network: Uint8Array }> {
  const manifest = parseManifest(await readFile(path.join(leadConversionFolder, manifestFileName)));
  if (!isOfType(manifest, 'binary_classifier')) throw new Error('lead conversion is a binary classifier');
  return {
    manifest,
    network: await readFile(path.join(leadConversionFolder, 'model.onnx')),
  };
}

export interface TestBundles extends AsyncDisposable {
  /** Serves what was added, by the files as they are on the disk. */
  source: ModelSource;
  /** The same for the challenger. */
  challengerSource: ModelSource;
  /** Adds a version: the real bundle with another calibration, whose golden outputs fit it. */
  add(
    version: string,
    options?: { intercept?: number; change?: (manifest: BinaryClassifier) => BinaryClassifier },
  ): Promise<WantedVersion>;
  /** Says which version is to answer from now on; or what asking for it fails with. */
  promote(champion: WantedVersion | Error | undefined): void;
  /** The same for the version that is compared with it. */
  shadow(challenger: WantedVersion | Error | undefined): void;
  pathOf(version: WantedVersion, fileName: string): string;
}

/** Versions of the lead conversion model in a folder of the test's own, and a registry of aliases. */
export async function openTestBundles(): Promise<TestBundles> {
  const directory = await mkdtemp(path.join(tmpdir(), 'presage-bundles-'));
  const store = openArtifactFolder(directory);
  const original = await readLeadConversion();
  const named: Partial<Record<ModelAlias, WantedVersion | Error>> = {};

  function sourceOf(alias: ModelAlias): ModelSource {
    return {
      alias,
      async wanted() {
        const version = named[alias];
        if (version instanceof Error) throw version;
        return version;
      },
      bundle: ({ version, manifestSha256 }) => checkBundle(store, `${version}/`, manifestSha256),
    };
  }

  return {
    source: sourceOf('champion'),
    challengerSource: sourceOf('challenger'),
    async add(version, { intercept, change = (manifest: BinaryClassifier) => manifest } = {}) {
      const folder = path.join(directory, version);
      await cp(leadConversionFolder, folder, { recursive: true });
      const manifest = change(withIntercept({ ...original.manifest, version }, intercept));
      const bytes = Buffer.from(JSON.stringify(manifest));
      await writeFile(path.join(folder, manifestFileName), bytes);
      return { version, manifestSha256: sha256Of(bytes) };
    },
    promote(next) {
      named.champion = next;
    },
    shadow(next) {
      named.challenger = next;
    },
    pathOf: ({ version }, fileName) => path.join(directory, version, fileName),
    async [Symbol.asyncDispose]() {
      store[Symbol.dispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function withIntercept(manifest: BinaryClassifier, intercept: number | undefined): BinaryClassifier {
  const { calibration, golden } = manifest;
  if (intercept === undefined || calibration.method !== 'sigmoid') return manifest;
  const { parameters } = calibration;
  const moved = (probability: number) => {
    const logit = Math.log(probability / (1 - probability));
    return 1 / (1 + Math.exp(-(logit - parameters.intercept + intercept)));
  };
  return {
    ...manifest,
    calibration: { ...calibration, parameters: { ...parameters, intercept } },
    golden: {
      ...golden,
      cases: golden.cases.map(({ input, expected }) => ({
        input,
        expected: { probability: moved(expected.probability) },
      })),
    },
  };
}
