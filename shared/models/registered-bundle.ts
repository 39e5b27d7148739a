import type { ArtifactStore } from './artifact-store.ts';
import {
  checkBundle,
  checkManifest,
  type Bundle,
  type BundleCheck,
  type ManifestCheck,
} from './check-bundle.ts';
import { manifestFileName } from './manifest-fields.ts';
import type { ModelRegistry, ModelVersion } from './model-registry.ts';

/** The registry, and the files of what is registered. */
export interface ModelStores {
  registry: ModelRegistry;
  artifacts: ArtifactStore;
}

type VersionKey = Pick<ModelVersion, 'modelId' | 'version' | 'manifestSha256'>;

/**
 * Where the files of a version are. The manifest's checksum is part of it, so that of two bundles that claim one
 * version at the same time neither overwrites the other's files: the registry takes one of them.
 */
export function registeredPrefix({ modelId, version, manifestSha256 }: VersionKey): string {
  return `models/${modelId}/${version}/${manifestSha256}/`;
}

/** Reads a registered version and checks every byte of it, from the manifest's checksum on. */
export function checkRegistered(artifacts: ArtifactStore, version: VersionKey): Promise<BundleCheck> {
  return checkBundle(artifacts, registeredPrefix(version), version.manifestSha256);
}

/** Reads a registered version's manifest and checks that alone. */
export function checkRegisteredManifest(
  artifacts: ArtifactStore,
  version: VersionKey,
): Promise<ManifestCheck> {
  return checkManifest(artifacts, registeredPrefix(version), version.manifestSha256);
}

/**
 * Stores a bundle's files and registers its version. Registering the same bundle again writes its files again, which
 * mends what is broken of them.
 *
 * @returns whether the version is new
 * @throws JobError `MODEL_VERSION_TAKEN`; what the stores throw
 */
export async function registerBundle({ registry, artifacts }: ModelStores, bundle: Bundle): Promise<boolean> {
  const { manifest, manifestSha256 } = bundle;
  const version = {
    modelId: manifest.model_id,
    version: manifest.version,
    modelType: manifest.model_type,
    manifestSha256,
  };
  const prefix = registeredPrefix(version);
  for (const [name, content] of bundle.files) await artifacts.write(`${prefix}${name}`, content);
  // After all that it speaks of; and the registry speaks of it.
  await artifacts.write(`${prefix}${manifestFileName}`, bundle.manifestBytes);
  return registry.register(version);
}
