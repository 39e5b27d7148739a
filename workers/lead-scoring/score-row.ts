import type { LeadErrorCode } from '../../shared/contracts/lead-scoring.ts';
import type { LeadScoresTable } from '../../shared/database/lead-scores-table.ts';
import type { LeadScore } from './score-cache.ts';

/** What was found out about a lead: its score, or why it has none. */
export type LeadOutcome =
  { kind: 'scored'; score: LeadScore } | { kind: 'failed'; code: LeadErrorCode; message: string };

export interface RowContext {
  jobId: string;
  modelId: string;
  modelVersion: string;
  /** Below it a score is marked as degraded. */
  minFeatureCoverage: number;
  scoredAt: Date;
}

/** The row of one lead, which the request names first at `position`. */
export function toScoreRow(
  { leadId, position }: { leadId: string; position: number },
  outcome: LeadOutcome,
  context: RowContext,
): LeadScoresTable {
  const common = {
    job_id: context.jobId,
    lead_id: leadId,
    position,
    model_id: context.modelId,
    model_version: context.modelVersion,
    scored_at: context.scoredAt,
  };
  if (outcome.kind === 'failed') {
    return {
      ...common,
      probability: null,
      confidence: null,
      feature_coverage: null,
      degraded: 0,
      error_code: outcome.code,
      error_message: outcome.message,
    };
  }
  const { probability, confidence, coverage } = outcome.score;
  return {
    ...common,
    probability,
    confidence,
    feature_coverage: coverage,
    degraded: coverage < context.minFeatureCoverage ? 1 : 0,
    error_code: null,
    error_message: null,
  };
}
