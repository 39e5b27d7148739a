import type { Manifest } from './manifest.ts';
import type { FeatureRow } from './prepare-features.ts';

/** A version that is loaded: its files had the right checksums, and its golden inputs gave the expected outputs. */
export interface ModelInfo {
  manifest: Manifest;
  /** Of the manifest's bytes, as hexadecimal digits. */
  sha256: string;
  /** ISO, UTC. */
  loadedAt: string;
}

/** What a model says of one row. */
export type RowScore =
  | {
      kind: 'scored';
      /** Calibrated, from 0 to 1. */
      probability: number;
      /** By the manifest's method, from 0 to 1. */
      confidence: number;
      /** Share of the columns for which the row had a usable value of its own, from 0 to 1. */
      coverage: number;
      /** What the model itself said, before calibration. */
      logOdds: number;
    }
  | {
      kind: 'rejected';
      /** Why there is no answer. It names columns, never a value. */
      message: string;
    };

/** A version that stays loaded, whatever is promoted meanwhile, until this is disposed. */
export interface ModelLease extends Disposable, ModelInfo {
  /**
   * Scores rows; answers one result for each, in order. A row's result does not depend on the others'. Coverage and
   * drift are measured on the way.
   *
   * @throws JobError `transient` with the code `MODEL_FAILED` when the model's thread fails
   */
  score(rows: readonly FeatureRow[]): Promise<RowScore[]>;
}

/**
 * One model, always the version that its registry calls the champion, or the challenger, as far as that can be loaded. A
 * version is loaded beside the one that answers and takes its place when it has proved itself; one that fails is
 * refused, and the last good champion goes on answering.
 */
export interface ServedModel extends AsyncDisposable {
  /** The version that answers now; `undefined` while none could be loaded. To be disposed soon: it holds memory. */
  acquire(): ModelLease | undefined;
  /** What is loaded now, for people and for health. */
  current(): ModelInfo | undefined;
  /** What is wrong now, also while the last good version answers; `undefined` when all is well. */
  problem(): string | undefined;
  /** Looks now whether another version is to be served. Resolves when that is settled, and never rejects. */
  refresh(): Promise<void>;
}
