import type { BundleCheck } from './check-bundle.ts';
import type { ModelAlias, ModelVersion } from './model-registry.ts';

/** A version of a known model, and what its bundle is checked against. */
export type WantedVersion = Pick<ModelVersion, 'version' | 'manifestSha256'>;

/**
 * Where the versions of one model come from that have, one after the other, the same alias. Every call throws
 * StoreUnavailableError when a store does not answer.
 */
export interface ModelSource {
  alias: ModelAlias;
  /** The version that has the alias; `undefined` when none has. */
  wanted(): Promise<WantedVersion | undefined>;
  /** Reads a version's bundle and checks every byte of it, from the manifest's checksum on. */
  bundle(version: WantedVersion): Promise<BundleCheck>;
}
