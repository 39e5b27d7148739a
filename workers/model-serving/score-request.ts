import { ModelNotReadyError } from '../../shared/errors/job-error.ts';
import { ProblemError } from '../../shared/http/problem.ts';
import type { ColumnProblem } from '../../shared/models/prepare-column.ts';
import type { FeatureRow, PreparedRow } from '../../shared/models/prepare-features.ts';
import type { ModelAnswer } from '../../shared/models/row-score.ts';
import type { ModelInfo } from '../../shared/models/served-model.ts';
import type { FeatureTreatment, WhenMissing } from './check-rows.ts';
import type { HostedModel } from './open-served-models.ts';

/** A request that is answered at once has no more rows; more go through the queue. */
export const maxRowsPerRequest = 2_000;

/** A problem names no more values. */
const valuesNamed = 100;

export interface RowsToScore {
  rows: readonly FeatureRow[];
  whenMissing: WhenMissing;
  /** How a row's column is named in the request, for example `#/2/rate`. */
  pointerTo: (row: number, column: string) => string;
  signal: AbortSignal;
}

export interface ScoredRequest {
  /** What answered. */
  model: ModelInfo;
  /** One for each row, in order. */
  answers: ModelAnswer[];
  treatment: FeatureTreatment;
}

/**
 * Answers the rows of one request by one version of a model, together with other requests.
 *
 * @throws ModelNotReadyError while no version is loaded; ProblemError 422 that names each value which cannot be used,
 *   503 when too many rows wait, 500 when the model has no usable answer; the signal's reason
 */
export async function scoreRequest(
  modelId: string,
  { served, batches, rowCheckOf }: HostedModel,
  { rows, whenMissing, pointerTo, signal }: RowsToScore,
): Promise<ScoredRequest> {
  using lease = served.acquire();
  if (!lease) throw new ModelNotReadyError(modelId);
  const { manifest, sha256, loadedAt } = lease;
  const { prepared, treatment } = rowCheckOf(lease)(rows, whenMissing);
  requireUsable(prepared.rows, whenMissing, pointerTo);
  const scores = await batches.score(lease, prepared, signal);
  const answers = scores.map((score, row) => {
    if (score.kind === 'scored') return score;
    throw new ProblemError('INTERNAL_ERROR', `The model has no usable answer for row ${row}.`);
  });
  return { model: { manifest, sha256, loadedAt }, answers, treatment };
}

function requireUsable(
  rows: readonly PreparedRow[],
  whenMissing: WhenMissing,
  pointerTo: RowsToScore['pointerTo'],
): void {
  const errors = rows.flatMap((row, place) =>
    row.kind === 'accepted'
      ? []
      : row.columns.map(({ column, problem }) => ({
          pointer: pointerTo(place, column),
          detail: problem === 'missing' ? missingTexts[whenMissing] : problemTexts[problem],
        })),
  );
  const [first] = errors;
  if (!first) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  throw new ProblemError('VALIDATION_ERROR', `${first.pointer}: ${first.detail}${more}`, {
    errors: errors.slice(0, valuesNamed),
  });
}

const missingTexts: Record<WhenMissing, string> = {
  reject: 'is missing, and the request does not ask to impute it',
  impute: 'is missing, and the model has nothing that stands in for it',
};

const problemTexts: Record<Exclude<ColumnProblem, 'missing'>, string> = {
  not_finite: 'must be a finite number that a float32 can hold',
  invalid: 'must be a number in a numeric column, a text in a categorical one',
  unknown_category: 'is no category that the model knows',
  out_of_range: 'is beyond the range that the model takes',
};
