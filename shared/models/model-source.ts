import type { BundleCheck } from './check-bundle.ts';
import type { ModelVersion } from './model-registry.ts';

/** A version of a known model, and what its bundle is checked against. */
export type ChampionVersion = Pick<ModelVersion, 'version' | 'manifestSha256'>;

/** Where the versions of one model come from. Every call throws StoreUnavailableError when a store does not answer. */
export interface ModelSource {
  /** The version that is to answer; `undefined` when none was promoted yet. */
  champion(): Promise<ChampionVersion | undefined>;
  /** Reads a version's bundle and checks every byte of it, from the manifest's checksum on. */
  bundle(version: ChampionVersion): Promise<BundleCheck>;
}
