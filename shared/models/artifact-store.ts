/**
 * Files of models under keys such as `models/lead-conversion/1.0.0/model.onnx`: in a folder or in a bucket. Every call
 * throws StoreUnavailableError when the store does not answer, else a JobError whose code says what is wrong
 * (artifact-failure.ts).
 */
export interface ArtifactStore extends Disposable {
  /** Where it is, for people: `file:///…` or `s3://…`. */
  url: string;
  /**
   * All bytes under a key; `undefined` when there is nothing.
   *
   * @throws ArtifactTooLargeError when there are more bytes; they are not read then
   */
  read(key: string, limits: { maxBytes: number }): Promise<Uint8Array | undefined>;
  /** Puts the bytes under a key, in one step: a reader finds what was there before, or all that is new. */
  write(key: string, bytes: Uint8Array): Promise<void>;
  /**
   * Every key that begins with the prefix, in order.
   *
   * @param prefix ends with a slash, or is empty
   */
  list(prefix: string): Promise<string[]>;
  /** Makes the bucket or the folder where it is missing. Answers whether it was. Several may run at once. */
  prepare(): Promise<boolean>;
  /** Whether the bucket or the folder is there. */
  exists(): Promise<boolean>;
}
