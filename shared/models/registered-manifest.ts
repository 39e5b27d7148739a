import { JobError } from '../errors/job-error.ts';
import { checkManifest } from './check-bundle.ts';
import type { Manifest } from './manifest.ts';
import { registeredPrefix, type ModelStores } from './registered-bundle.ts';

/** A version's manifest, without the files that it speaks of. */
export interface RegisteredManifest {
  manifest: Manifest;
  /** Of its bytes. */
  sha256: string;
}

/**
 * Reads what a registered version says of itself.
 *
 * @param which a version, or the alias of one
 * @returns `undefined` when there is no such version, or none with the alias
 * @throws JobError `permanent` with the code `MODEL_UNSOUND` when the manifest is not the one that was registered; what
 *   the stores throw
 */
export async function readRegisteredManifest(
  { registry, artifacts }: ModelStores,
  modelId: string,
  which: string,
): Promise<RegisteredManifest | undefined> {
  const version = await registry.find(modelId, which);
  if (!version) return undefined;
  const check = await checkManifest(artifacts, registeredPrefix(version), version.manifestSha256);
  if (check.isSound) return { manifest: check.manifest, sha256: version.manifestSha256 };
  const problems = check.problems.map(({ file, problem }) => `${file} ${problem}`).join('; ');
  throw new JobError('permanent', `${modelId} ${version.version} is unsound: ${problems}`, {
    code: 'MODEL_UNSOUND',
  });
}
