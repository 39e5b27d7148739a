import { leadModelId, type LeadChunk, type LeadChunkResult } from '../../shared/contracts/lead-scoring.ts';
import { classify } from '../../shared/errors/classify.ts';
import { ModelNotReadyError } from '../../shared/errors/job-error.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { checkLeadIds } from './check-lead-ids.ts';
import { countScores } from './count-scores.ts';
import { scoreAndRecord, type LeadScoringDependencies } from './score-and-record.ts';
import { withTelemetry } from './with-telemetry.ts';

/**
 * Scores a part of a bulk into rows of the bulk, by one version of the model; answers how many there are. Where an
 * earlier run has recorded them, nothing is scored again. The cache is left out: a bulk would fill it with scores that
 * nobody asks for within its five minutes.
 *
 * @param bulkId the job of the bulk
 * @throws what `scoreBatch` throws
 */
export function scoreChunk(
  bulkId: string,
  { lead_ids, first_position }: LeadChunk,
  context: JobContext,
  dependencies: LeadScoringDependencies,
): Promise<LeadChunkResult> {
  return dependencies.chunkTurns(() =>
    withTelemetry(dependencies, context, async (note) => {
      // It may have been cancelled, or its time may have been over, before its turn came.
      if (context.signal.aborted) throw classify(context.signal.reason);
      const { positions: places, invalid } = checkLeadIds(lead_ids);
      const positions = new Map([...places].map(([leadId, place]) => [leadId, first_position + place]));
      const leadIds = [...positions.keys()];
      note({ leads: leadIds.length + invalid.length });
      const recorded = context.mayHaveRunBefore ? await dependencies.rows.load(bulkId, leadIds) : [];
      // Leads that were forgotten share one id: the row of another chunk's says nothing about this one.
      const own = new Set(positions.values());
      let rows = recorded.filter(({ position }) => own.has(position));
      using model = dependencies.model.acquire();
      if (rows.length === 0 && leadIds.length > 0) {
        if (!model) throw new ModelNotReadyError(leadModelId);
        const { signal } = context;
        rows = await scoreAndRecord(positions, {
          ...dependencies,
          cache: undefined,
          jobId: bulkId,
          model,
          signal,
          note,
        });
      }
      // Each id of a chunk is another lead's, but for those that were forgotten.
      const forgotten = lead_ids.length - invalid.length - rows.length;
      const result = countScores(rows, invalid, forgotten);
      const version = rows[0]?.model_version ?? null;
      const coverages = rows.flatMap(({ feature_coverage }) => feature_coverage ?? []);
      note({
        model_version: version,
        model_sha256: model?.manifest.version === version ? model.sha256 : null,
        errors: lead_ids.length - result.scored,
        feature_coverage:
          coverages.length === 0 ? null : coverages.reduce((a, b) => a + b, 0) / coverages.length,
      });
      return result;
    }),
  );
}
