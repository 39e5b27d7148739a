import type { ManifestOf, ModelType } from './model-type.ts';
import type { FeatureRow, PreparedFeatures } from './prepare-features.ts';
import type { RowScore } from './row-score.ts';

/** A version that is loaded: its files had the right checksums, and its golden inputs gave the expected outputs. */
export interface ModelInfo<Type extends ModelType = ModelType> {
  manifest: ManifestOf<Type>;
  /** Of the manifest's bytes, as hexadecimal digits. */
  sha256: string;
  /** ISO, UTC. */
  loadedAt: string;
}

/** A version that stays loaded, whatever is promoted meanwhile, until this is disposed. */
export interface ModelLease<Type extends ModelType = ModelType> extends Disposable, ModelInfo<Type> {
  /**
   * Scores rows; answers one result for each, in order. A row's result does not depend on the others'. Coverage and
   * drift are measured on the way.
   *
   * @throws JobError `transient` with the code `MODEL_FAILED` when the model's thread fails
   */
  score(rows: readonly FeatureRow[]): Promise<RowScore<Type>[]>;
  /** The same for rows that were prepared by the columns of this version's manifest. */
  scorePrepared(prepared: PreparedFeatures): Promise<RowScore<Type>[]>;
}

/**
 * One model, always the version that its registry calls the champion, or the challenger, as far as that can be loaded. A
 * version is loaded beside the one that answers and takes its place when it has proved itself; one that fails is
 * refused, and the last good champion goes on answering.
 */
export interface ServedModel<Type extends ModelType = ModelType> extends AsyncDisposable {
  /** The version that answers now; `undefined` while none could be loaded. To be disposed soon: it holds memory. */
  acquire(): ModelLease<Type> | undefined;
  /** What is loaded now, for people and for health. */
  current(): ModelInfo<Type> | undefined;
  /** What is wrong now, also while the last good version answers; `undefined` when all is well. */
  problem(): string | undefined;
  /** Whether the registry names a version that is to be served; so it is taken to be until the registry has answered. */
  isAssigned(): boolean;
  /** Looks now whether another version is to be served. Resolves when that is settled, and never rejects. */
  refresh(): Promise<void>;
}
