/**
 * A thread of its own for one ONNX network, because a run blocks the thread that it is made in. Started by
 * `openOnnxSession`. Both ends are this program's, so messages are not checked.
 */
import { setImmediate as untilOthersHadTheirTurn } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { OnnxNetwork, OnnxReply, OnnxRequest } from './onnx-message.ts';

/** One core does one model's work: more threads help large batches only, and take the cores of others. */
const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  // Errors only: the library writes to standard error by itself.
  logSeverityLevel: 3,
};

/** Rows are run in pieces of this many, so that a small request does not wait for a large one. */
const rowsPerPiece = 256;

/**
 * A network is given a multiple of this many rows. Its kernels use other instructions for few rows, and for the last
 * numbers that do not fill a register (16 with AVX-512), which round otherwise: a row would get another answer alone
 * than among others.
 */
const tileRows = 16;

let session: InferenceSession | undefined;
let runRows: ((features: Float32Array) => Promise<Float32Array[]>) | undefined;

parentPort?.on('message', (request: OnnxRequest) => void handle(request));

async function handle(request: OnnxRequest): Promise<void> {
  switch (request.kind) {
    case 'load':
      return load(request.network);
    case 'run':
      return answer(request);
    case 'end':
      await session?.release();
      parentPort?.close();
  }
}

async function load(network: OnnxNetwork): Promise<void> {
  try {
    const loaded = await InferenceSession.create(network.bytes, sessionOptions);
    session = loaded;
    checkTensor(loaded.inputMetadata, network.input, network.columns);
    for (const { name, width } of network.outputs) checkTensor(loaded.outputMetadata, name, width);
    runRows = (features) => run(loaded, network, features);
    reply({ kind: 'ready' });
  } catch (error) {
    reply({ kind: 'unfit', reason: messageOf(error) });
  }
}

/** Throws unless there is such a tensor, for any number of rows. */
function checkTensor(tensors: readonly InferenceSession.ValueMetadata[], name: string, width: number): void {
  const found = tensors.find((tensor) => tensor.name === name);
  if (!found) throw new Error(`it has no ${name}, but ${tensors.map((tensor) => tensor.name).join(', ')}`);
  if (!found.isTensor || found.type !== 'float32') throw new Error(`its ${name} is no tensor of float32`);
  const { shape } = found;
  const [rows, columns] = shape;
  // A dimension that is open has a name instead of a size.
  if (shape.length !== 2 || typeof rows === 'number' || (typeof columns === 'number' && columns !== width)) {
    throw new Error(`its ${name} has the shape [${shape.join(', ')}], not [rows, ${width}]`);
  }
}

async function run(
  loaded: InferenceSession,
  network: OnnxNetwork,
  features: Float32Array,
): Promise<Float32Array[]> {
  const { columns, outputs } = network;
  const rows = features.length / columns;
  const values = outputs.map(({ width }) => new Float32Array(rows * width));
  for (let first = 0; first < rows; first += rowsPerPiece) {
    if (first > 0) await untilOthersHadTheirTurn();
    const piece = features.subarray(first * columns, (first + rowsPerPiece) * columns);
    const answered = await runPiece(loaded, network, piece);
    for (const [place, { width }] of outputs.entries())
      values[place]?.set(answered[place] ?? [], first * width);
  }
  return values;
}

async function runPiece(
  loaded: InferenceSession,
  { input, columns, outputs }: OnnxNetwork,
  features: Float32Array,
): Promise<Float32Array[]> {
  const rows = features.length / columns;
  const given = padRows(features, columns);
  const tensors = await loaded.run(
    { [input]: new Tensor('float32', given, [given.length / columns, columns]) },
    outputs.map(({ name }) => name),
  );
  return outputs.map(({ name, width }) => {
    const values: unknown = tensors[name]?.data;
    if (!(values instanceof Float32Array) || values.length * columns !== given.length * width) {
      throw new Error(`it did not answer ${width} numbers of ${name} for each row`);
    }
    return values.subarray(0, rows * width);
  });
}

/** Repeats the last row until the rows are a multiple of the tile. */
function padRows(features: Float32Array, columns: number): Float32Array {
  const rows = features.length / columns;
  const padded = Math.ceil(rows / tileRows) * tileRows;
  if (padded === rows) return features;
  const given = new Float32Array(padded * columns);
  given.set(features);
  const last = features.subarray((rows - 1) * columns);
  for (let row = rows; row < padded; row += 1) given.set(last, row * columns);
  return given;
}

async function answer({ id, features }: Extract<OnnxRequest, { kind: 'run' }>): Promise<void> {
  try {
    if (!runRows) throw new Error('it is not loaded');
    reply({ kind: 'answer', id, values: await runRows(features) });
  } catch (error) {
    reply({ kind: 'failure', id, reason: messageOf(error) });
  }
}

function reply(message: OnnxReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
