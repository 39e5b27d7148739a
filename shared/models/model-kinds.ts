import { binaryClassifier } from './binary-classifier.ts';
import { hybridCausalModel } from './hybrid-causal-model.ts';
import type { ModelKind } from './model-kind.ts';
import type { ModelType } from './model-type.ts';

/** How each kind of model is run and read. Another kind is another line. */
export const modelKinds: { readonly [Type in ModelType]: ModelKind<Type> } = {
  binary_classifier: binaryClassifier,
  hybrid_causal_model: hybridCausalModel,
};
