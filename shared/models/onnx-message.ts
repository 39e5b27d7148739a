/** A tensor that a network answers: float32 `[rows, width]`. */
export interface OnnxOutput {
  name: string;
  width: number;
}

/** What the thread is to load, and what it is known to be. */
export interface OnnxNetwork {
  /** The bytes of the `.onnx` file. */
  bytes: Uint8Array;
  /** The name of the input, float32 `[rows, columns]`. */
  input: string;
  columns: number;
  /** What it is asked for. */
  outputs: readonly OnnxOutput[];
}

/** To the thread, in this order: what to load, rows one after the other, that it is to end. */
export type OnnxRequest =
  | { kind: 'load'; network: OnnxNetwork }
  | { kind: 'run'; id: number; features: Float32Array }
  | { kind: 'end' };

/** From the thread: that it can work, or why not; what became of a run. */
export type OnnxReply =
  | { kind: 'ready' }
  | { kind: 'unfit'; reason: string }
  | { kind: 'answer'; id: number; values: Float32Array[] }
  | { kind: 'failure'; id: number; reason: string };
