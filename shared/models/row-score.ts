import type { ModelType } from './model-type.ts';

/** What each kind of model says of a row. */
interface AnswerByType {
  binary_classifier: {
    /** Calibrated, from 0 to 1. */
    probability: number;
    /** By the manifest's method, from 0 to 1. */
    confidence: number;
    /** What the model itself said, before calibration. */
    logOdds: number;
  };
  hybrid_causal_model: {
    /** Of one unit more of each treatment, in the order of the manifest. */
    causalEffects: number[];
    /** Of each regime, in the order of the manifest; they add up to 1. */
    regimeProbabilities: number[];
    /** A standard deviation. */
    uncertainty: number;
  };
}

type TypedAnswerByType = { [Type in ModelType]: AnswerByType[Type] & { type: Type } };

/** What a model of this kind says of one row. */
export type ModelAnswer<Type extends ModelType = ModelType> = TypedAnswerByType[Type];

/** What became of one row. */
export type RowScore<Type extends ModelType = ModelType> =
  | (ModelAnswer<Type> & {
      kind: 'scored';
      /** Share of the columns for which the row had a usable value of its own, from 0 to 1. */
      coverage: number;
    })
  | {
      kind: 'rejected';
      /** Why there is no answer. It names columns, never a value. */
      message: string;
    };
