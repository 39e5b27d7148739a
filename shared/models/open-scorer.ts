import type { JobError } from '../errors/job-error.ts';
import { calibrate } from './calibrate.ts';
import { confidence } from './confidence.ts';
import type { Manifest } from './manifest.ts';
import { openOnnxSession } from './open-onnx-session.ts';
import {
  prepareFeatures,
  type FeatureRow,
  type PreparedFeatures,
  type RefusedColumn,
} from './prepare-features.ts';
import type { RowScore } from './served-model.ts';

/** A refusal names no more columns. */
const columnsNamed = 10;

export interface ScoredRows {
  /** One for each row, in order. */
  scores: RowScore[];
  /** What the model was given. */
  prepared: PreparedFeatures;
}

/** A model from a row to its answer: preparation, network, calibration, confidence. Disposing it ends its thread. */
export interface Scorer extends AsyncDisposable {
  /** @throws JobError `transient` with the code `MODEL_FAILED` */
  score(rows: readonly FeatureRow[]): Promise<ScoredRows>;
  /** Resolves when the thread has ended: with the reason, unless it was disposed. */
  ended: Promise<JobError | undefined>;
}

/**
 * @param bytes of the network that the manifest names, already checked against it
 * @throws JobError `permanent` with the code `MODEL_UNFIT` when it is not the network that the manifest describes
 */
export async function openScorer(manifest: Manifest, bytes: Uint8Array): Promise<Scorer> {
  const { runtime, confidence: stated } = manifest;
  const { input, output, members } = runtime;
  const prepare = prepareFeatures(manifest.feature_columns);
  const toProbability = calibrate(manifest.calibration);
  const columns = manifest.feature_columns.length;
  const session = await openOnnxSession({ bytes, input, columns, output, members });

  function answer(membersLogOdds: Float32Array, coverage: number): RowScore {
    const logOdds = membersLogOdds.reduce((sum, value) => sum + value, 0) / members;
    if (!Number.isFinite(logOdds)) return { kind: 'rejected', message: 'the model has no finite answer' };
    const probability = toProbability(logOdds);
    const memberProbabilities = Array.from(membersLogOdds, toProbability);
    return {
      kind: 'scored',
      probability,
      confidence: confidence(stated.method, { probability, memberProbabilities }),
      coverage,
      logOdds,
    };
  }
  return {
    async score(rows) {
      const prepared = prepare(rows);
      const values = await session.run(prepared.features);
      let first = 0;
      const scores = prepared.rows.map((row): RowScore => {
        if (row.kind === 'refused') return { kind: 'rejected', message: describeRefusal(row.columns) };
        first += members;
        return answer(values.subarray(first - members, first), row.coverage);
      });
      return { scores, prepared };
    },
    ended: session.ended,
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function describeRefusal(columns: readonly RefusedColumn[]): string {
  const named = columns.slice(0, columnsNamed).map(({ column, problem }) => `${column} (${problem})`);
  const more = columns.length - named.length;
  return `no usable value of ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
