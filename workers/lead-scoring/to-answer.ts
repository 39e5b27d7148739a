import {
  leadErrorCodes,
  type LeadError,
  type LeadPrediction,
  type LeadScores,
} from '../../shared/contracts/lead-scoring.ts';
import type { LeadScoresTable } from '../../shared/database/lead-scores-table.ts';
import type { ModelInfo } from '../../shared/models/served-model.ts';

/** An error and where the request names its lead first, from 0. */
export interface PlacedError {
  position: number;
  error: LeadError;
}

/** What an answer says of the version that gave it. */
export type VersionInfo = Pick<ModelInfo<'binary_classifier'>, 'manifest' | 'sha256'>;

/**
 * What the caller gets: what the rows say, in the order of the request.
 *
 * @param rows of one job
 * @param invalid ids that could be no lead's, for which there are no rows
 * @param model the version that the rows name
 */
export function toAnswer(
  rows: readonly LeadScoresTable[],
  invalid: readonly PlacedError[],
  { manifest, sha256 }: VersionInfo,
): LeadScores {
  const predictions: LeadPrediction[] = [];
  const errors: PlacedError[] = [...invalid];
  for (const row of rows.toSorted((one, other) => one.position - other.position)) {
    const { lead_id: leadId, probability, confidence, feature_coverage: coverage } = row;
    if (probability === null || confidence === null || coverage === null) {
      errors.push({ position: row.position, error: errorOf(row) });
    } else {
      const degraded = row.degraded !== 0;
      predictions.push({ lead_id: leadId, probability, confidence, feature_coverage: coverage, degraded });
    }
  }
  const { method, parameters, fitted_at, calibration_error } = manifest.calibration;
  return {
    predictions,
    errors: errors.toSorted((one, other) => one.position - other.position).map(({ error }) => error),
    schema_version: 'v1',
    contract_version: 1,
    model_id: manifest.model_id,
    model_version: manifest.version,
    model_sha256: sha256,
    calibration_metadata: { method, parameters: { ...parameters }, fitted_at, calibration_error },
  };
}

function errorOf({ lead_id, error_code: code, error_message: message }: LeadScoresTable): LeadError {
  const known = leadErrorCodes.find((each) => each === code);
  if (known === undefined) throw new Error('a row has neither a score nor a known error');
  return { lead_id, code: known, message: message ?? '' };
}
