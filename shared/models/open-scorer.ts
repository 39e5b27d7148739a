import type { JobError } from '../errors/job-error.ts';
import { modelKinds } from './model-kinds.ts';
import type { ManifestOf, ModelType } from './model-type.ts';
import { openOnnxSession } from './open-onnx-session.ts';
import {
  prepareFeatures,
  type FeatureRow,
  type PreparedFeatures,
  type RefusedColumn,
} from './prepare-features.ts';
import type { ModelAnswer, RowScore } from './row-score.ts';

/** A refusal names no more columns. */
const columnsNamed = 10;

export interface ScoredRows<Type extends ModelType = ModelType> {
  /** One for each row, in order. */
  scores: RowScore<Type>[];
  /** What the model was given. */
  prepared: PreparedFeatures;
}

/** A model from a row to its answer: preparation, network, and what its kind makes of that. Disposing it ends its thread. */
export interface Scorer<Type extends ModelType = ModelType> extends AsyncDisposable {
  /** @throws JobError `transient` with the code `MODEL_FAILED` */
  score(rows: readonly FeatureRow[]): Promise<ScoredRows<Type>>;
  /**
   * The same for rows that were prepared by the manifest's columns. A row's answer does not depend on the other rows,
   * to the last bit.
   */
  scorePrepared(prepared: PreparedFeatures): Promise<ScoredRows<Type>>;
  /** Resolves when the thread has ended: with the reason, unless it was disposed. */
  ended: Promise<JobError | undefined>;
}

/**
 * @param type of the manifest
 * @param bytes of the network that the manifest names, already checked against it
 * @throws JobError `permanent` with the code `MODEL_UNFIT` when it is not the network that the manifest describes
 */
export async function openScorer<Type extends ModelType>(
  type: Type,
  manifest: ManifestOf<Type>,
  bytes: Uint8Array,
): Promise<Scorer<Type>> {
  const kind = modelKinds[type];
  const outputs = kind.outputs(manifest);
  const read = kind.reader(manifest);
  const columns = manifest.feature_columns.length;
  const prepare = prepareFeatures(manifest.feature_columns);
  const session = await openOnnxSession({ bytes, input: manifest.runtime.input, columns, outputs });

  function answerOf(values: readonly Float32Array[], row: number): ModelAnswer<Type> | undefined {
    return read(
      values.map((all, place) => {
        const width = outputs[place]?.width ?? 0;
        return all.subarray(row * width, (row + 1) * width);
      }),
    );
  }
  async function scorePrepared(prepared: PreparedFeatures): Promise<ScoredRows<Type>> {
    const values = await session.run(prepared.features);
    let next = 0;
    const scores = prepared.rows.map((row): RowScore<Type> => {
      if (row.kind === 'refused') return { kind: 'rejected', message: describeRefusal(row.columns) };
      const answer = answerOf(values, next);
      next += 1;
      if (!answer) return { kind: 'rejected', message: 'the model has no usable answer' };
      return { ...answer, kind: 'scored', coverage: row.coverage };
    });
    return { scores, prepared };
  }
  return {
    score: (rows) => scorePrepared(prepare(rows)),
    scorePrepared,
    ended: session.ended,
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function describeRefusal(columns: readonly RefusedColumn[]): string {
  const named = columns.slice(0, columnsNamed).map(({ column, problem }) => `${column} (${problem})`);
  const more = columns.length - named.length;
  return `no usable value of ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
