import { z } from 'zod';
import { ProblemError } from '../../shared/http/problem.ts';
import type { Manifest } from '../../shared/models/manifest.ts';
import type { FeatureRow } from '../../shared/models/prepare-features.ts';
import type { ModelAnswer } from '../../shared/models/row-score.ts';
import { dominantOf } from './to-prediction.ts';

/** A tensor of the Open Inference Protocol, as a model's metadata states it; -1 stands for any number of rows. */
export interface TensorMetadata {
  name: string;
  datatype: 'FP32' | 'FP64' | 'INT64' | 'BYTES';
  shape: number[];
}

export interface Tensor extends TensorMetadata {
  /** One value after the other, row by row. */
  data: number[];
}

const numericDatatypes = [
  'FP16',
  'FP32',
  'FP64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
] as const;

const inputSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().min(0)).min(1).max(3),
  datatype: z.enum([...numericDatatypes, 'BYTES']),
  data: z.array(z.unknown()),
});

export const inferRequestSchema = z.object({
  id: z.string().max(1_024).optional(),
  parameters: z.object({ missing: z.enum(['reject', 'impute']).optional() }).optional(),
  inputs: z.array(inputSchema).min(1).max(10_001),
  outputs: z.array(z.object({ name: z.string() })).optional(),
});

export type InferRequest = z.output<typeof inferRequestSchema>;

type Input = InferRequest['inputs'][number];

/** What a model takes: one tensor with every column where all are numbers, else one for each column. */
export function inputsOf({ feature_columns: columns, runtime }: Manifest): TensorMetadata[] {
  if (columns.every(({ type }) => type === 'numeric')) {
    return [{ name: runtime.input, datatype: 'FP32', shape: [-1, columns.length] }];
  }
  return columns.map(({ name, type }) => ({
    name,
    datatype: type === 'numeric' ? 'FP32' : 'BYTES',
    shape: [-1, 1],
  }));
}

/** What a model answers, under the names of document 003. */
export function outputsOf(manifest: Manifest): TensorMetadata[] {
  if (manifest.model_type === 'binary_classifier') {
    return [{ name: 'predictions', datatype: 'FP64', shape: [-1, 1] }];
  }
  const { treatments, regimes } = manifest.outputs;
  return [
    { name: 'causal_effects', datatype: 'FP32', shape: [-1, treatments.length] },
    { name: 'regime_probabilities', datatype: 'FP32', shape: [-1, regimes.length] },
    { name: 'dominant_regime', datatype: 'INT64', shape: [-1, 1] },
    { name: 'uncertainty', datatype: 'FP32', shape: [-1, 1] },
  ];
}

/** @param answers of the rows, in order */
export function toTensors(manifest: Manifest, answers: readonly ModelAnswer[]): Tensor[] {
  return outputsOf(manifest).map((output) => ({
    ...output,
    shape: output.shape.with(0, answers.length),
    data: answers.flatMap((answer) => valuesOf(answer, output.name)),
  }));
}

function valuesOf(answer: ModelAnswer, name: string): readonly number[] {
  if (answer.type === 'binary_classifier') return [answer.probability];
  if (name === 'causal_effects') return answer.causalEffects;
  if (name === 'regime_probabilities') return answer.regimeProbabilities;
  return [name === 'uncertainty' ? answer.uncertainty : dominantOf(answer.regimeProbabilities)];
}

/**
 * The rows of a request: of one tensor with every column in the order of the manifest, or of a tensor for each column.
 * Tensors of other names are columns that the model does not have.
 *
 * @param maxRows more are refused
 * @throws ProblemError 422 when tensors do not fit their shape or each other
 */
export function rowsOfTensors(
  { feature_columns: columns, runtime }: Manifest,
  inputs: readonly Input[],
  maxRows: number,
): FeatureRow[] {
  const [first] = inputs;
  const rows = first?.shape[0] ?? 0;
  if (rows === 0) throw invalid('the inputs must have at least one row');
  if (rows > maxRows) throw invalid(`a request has at most ${maxRows} rows`);
  const isWhole = inputs.length === 1 && first?.name === runtime.input;
  if (isWhole && columns.some(({ name }) => name === runtime.input)) {
    throw invalid(`${runtime.input} is the name of a column too: send a tensor for each column`);
  }
  const given = new Set(inputs.map(({ name }) => name));
  if (given.size < inputs.length) throw invalid('every input must have a name of its own');
  const names = columns.map(({ name }) => name);
  const tensors = inputs.map((input) => ({
    names: isWhole ? names : [input.name],
    values: flatValues(input, rows, isWhole ? names.length : 1),
  }));
  return Array.from({ length: rows }, (_nothing, row) =>
    Object.fromEntries(
      tensors.flatMap(({ names: columnNames, values }) =>
        columnNames.map((name, place) => [name, values[row * columnNames.length + place]]),
      ),
    ),
  );
}

/** One value after the other, whether they came in that way or in lists of lists. */
function flatValues({ name, shape, data }: Input, rows: number, width: number): unknown[] {
  const [given = 0, ...others] = shape;
  const givenWidth = others.reduce((product, each) => product * each, 1);
  if (given !== rows || givenWidth !== width) {
    throw invalid(`${name} has the shape [${shape.join(', ')}], not [${rows}, ${width}]`);
  }
  const values: unknown[] = data.flat(2);
  if (values.length === rows * width) return values;
  throw invalid(`${name} has ${values.length} values, its shape says ${rows * width}`);
}

function invalid(detail: string): ProblemError {
  return new ProblemError('VALIDATION_ERROR', detail);
}
