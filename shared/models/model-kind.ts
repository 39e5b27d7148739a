import type { ManifestOf, ModelType } from './model-type.ts';
import type { OnnxOutput } from './onnx-message.ts';
import type { ModelAnswer } from './row-score.ts';

/** Makes an answer of one row's values, one array for each output; `undefined` when they are no answer. */
export type ReadAnswer<Type extends ModelType> = (
  values: readonly Float32Array[],
) => ModelAnswer<Type> | undefined;

/** Numbers of an answer by their name in the manifest. */
export type Figures = readonly (readonly [name: string, value: number])[];

/** What is particular to one kind of model. */
export interface ModelKind<Type extends ModelType> {
  /** What the network is asked for, in the order in which `reader` takes it. */
  outputs(manifest: ManifestOf<Type>): readonly OnnxOutput[];
  reader(manifest: ManifestOf<Type>): ReadAnswer<Type>;
  /** What each golden input must give, in the order of the manifest. */
  golden(manifest: ManifestOf<Type>): readonly Figures[];
  /** An answer in the form in which golden ones are stated. */
  figures(answer: ModelAnswer<Type>): Figures;
}
