import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { checkBundle, type Bundle } from '../../shared/models/check-bundle.ts';
import { openArtifactFolder } from '../../shared/models/artifact-folder.ts';
import { sha256Of } from '../../shared/models/file-problem.ts';
import type { HybridCausalModel } from '../../shared/models/manifest.ts';
import { isOfType } from '../../shared/models/model-type.ts';
import { root } from './source-files.ts';

export const smallCausalFolder = path.join(root, 'test/fixtures/small-causal/1.0.0');

export async function readSmallCausal(): Promise<{ manifest: HybridCausalModel; network: Uint8Array }> {
  const { manifest } = await readSmallCausalBundle();
  if (!isOfType(manifest, 'hybrid_causal_model')) throw new Error('the fixture is a hybrid causal model');
  return { manifest, network: await readFile(path.join(smallCausalFolder, 'model.onnx')) };
}

export async function readSmallCausalBundle(): Promise<Bundle> {
  using folder = openArtifactFolder(smallCausalFolder);
  const check = await checkBundle(folder, '');
  if (!check.isSound) throw new Error('the fixture is no sound bundle');
  return check.bundle;
}

/** The bytes of the effects at the mean of the columns, in the network: -0.5 and 0.75. */
const effectsAtMean = Buffer.from(Float32Array.of(-0.5, 0.75).buffer);

/**
 * The same model as another version, whose first effect is greater by `shift` than that of the fixture everywhere.
 */
export async function shiftedSmallCausal(version: string, shift: number): Promise<Bundle> {
  const { manifest, network } = await readSmallCausal();
  const changed = Buffer.from(network);
  const at = changed.indexOf(effectsAtMean);
  if (at < 0) throw new Error('the fixture has other weights');
  changed.writeFloatLE(-0.5 + shift, at);
  const { file } = manifest.runtime;
  const shifted: HybridCausalModel = {
    ...manifest,
    version,
    files: { [file]: { sha256: sha256Of(changed), bytes: changed.byteLength } },
    golden: {
      ...manifest.golden,
      cases: manifest.golden.cases.map(({ input, expected }) => ({
        input,
        expected: {
          ...expected,
          causal_effects: expected.causal_effects.with(0, (expected.causal_effects[0] ?? 0) + shift),
        },
      })),
    },
  };
  const manifestBytes = Buffer.from(JSON.stringify(shifted));
  return {
    manifest: shifted,
    manifestBytes,
    manifestSha256: sha256Of(manifestBytes),
    files: new Map([[file, changed]]),
  };
}
