import { leadModelId, type LeadBatch, type LeadScores } from '../../shared/contracts/lead-scoring.ts';
import type { LeadScoresTable } from '../../shared/database/lead-scores-table.ts';
import { ModelNotReadyError } from '../../shared/errors/job-error.ts';
import type { ModelLease } from '../../shared/models/served-model.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { checkLeadIds } from './check-lead-ids.ts';
import { scoreAndRecord, type LeadScoringDependencies } from './score-and-record.ts';
import { toAnswer, type VersionInfo } from './to-answer.ts';
import { withTelemetry } from './with-telemetry.ts';

/**
 * Document 004: how likely each lead converts. Every lead comes back once, in the order of the request, under
 * `predictions` or under `errors`. The answer is made of the job's rows; where an earlier run has recorded them, nothing
 * is scored again, whatever version is loaded now.
 *
 * @throws ModelNotReadyError while no version of the model is loaded
 * @throws StoreUnavailableError when MySQL is away; Redis may be
 * @throws JobError what `score` and `describeVersion` throw; made of the signal's reason when that is aborted
 */
export function scoreBatch(
  payload: LeadBatch,
  context: JobContext,
  dependencies: LeadScoringDependencies,
): Promise<LeadScores> {
  return withTelemetry(dependencies, context, async (note) => {
    const { positions, invalid } = checkLeadIds(payload.lead_ids);
    note({ leads: positions.size + invalid.length });
    let rows = context.mayHaveRunBefore ? await dependencies.rows.load(context.jobId) : [];
    using model = dependencies.model.acquire();
    if (rows.length === 0) {
      if (!model) throw new ModelNotReadyError(leadModelId);
      const { jobId, signal } = context;
      rows = await scoreAndRecord(positions, { ...dependencies, jobId, model, signal, note });
    }
    const version = await versionOf(rows, model, dependencies);
    const answer = toAnswer(rows, invalid, version);
    const { predictions } = answer;
    note({
      model_version: answer.model_version,
      model_sha256: answer.model_sha256,
      errors: answer.errors.length,
      feature_coverage: mean(predictions.map((prediction) => prediction.feature_coverage)),
    });
    return answer;
  });
}

/** The version that rows of a job name. */
async function versionOf(
  [row]: readonly LeadScoresTable[],
  loaded: ModelLease<'binary_classifier'> | undefined,
  { describeVersion }: LeadScoringDependencies,
): Promise<VersionInfo> {
  if (loaded && (!row || row.model_version === loaded.manifest.version)) return loaded;
  if (!row) throw new ModelNotReadyError(leadModelId);
  return describeVersion(row.model_version);
}

function mean(numbers: readonly number[]): number | null {
  if (numbers.length === 0) return null;
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
