import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LimitFunction } from 'p-limit';
import type { LeadScoresTable } from '../../shared/database/lead-scores-table.ts';
import { classify } from '../../shared/errors/classify.ts';
import type { ModelLease, ServedModel } from '../../shared/models/served-model.ts';
import type { Shadow } from './open-shadow.ts';
import { scoreLeads, type ScoreLeadsOptions } from './score-leads.ts';
import { toScoreRow } from './score-row.ts';
import type { ScoreRows } from './score-rows.ts';
import type { VersionInfo } from './to-answer.ts';
import type { TelemetryOptions } from './with-telemetry.ts';

export interface LeadScoringDependencies
  extends TelemetryOptions, Required<Pick<ScoreLeadsOptions, 'readLeads' | 'cache'>> {
  model: Pick<ServedModel<'binary_classifier'>, 'acquire'>;
  /** Reads about a version that need not be loaded. */
  describeVersion: (version: string) => Promise<VersionInfo>;
  rows: ScoreRows;
  /** Compares what was scored with the challenger, when there is nothing else to do. */
  shadow: Shadow;
  /** Below it a score is marked as degraded. */
  minFeatureCoverage: number;
  /**
   * Lets a process work at a few chunks of bulks at the same time only: neither their leads nor the work at them pile up,
   * and a batch that somebody waits for finds the event loop, the model and MySQL between two of them.
   */
  chunkTurns: LimitFunction;
}

export interface Scoring
  extends ScoreLeadsOptions, Pick<LeadScoringDependencies, 'rows' | 'shadow' | 'minFeatureCoverage' | 'now'> {
  /** Whose rows they are. */
  jobId: string;
  model: ModelLease<'binary_classifier'>;
  signal: AbortSignal;
}

/**
 * Scores leads; answers their rows as they are stored: another run may have been first.
 *
 * @param positions where the request names each lead first, from 0
 */
export async function scoreAndRecord(
  positions: ReadonlyMap<string, number>,
  scoring: Scoring,
): Promise<LeadScoresTable[]> {
  if (positions.size === 0) return [];
  const { jobId, model, signal, rows, shadow, minFeatureCoverage, now } = scoring;
  const { outcomes, asked, remember } = await scoreLeads([...positions.keys()], scoring);
  if (signal.aborted) throw classify(signal.reason);
  const rowContext = {
    jobId,
    modelId: model.manifest.model_id,
    modelVersion: model.manifest.version,
    minFeatureCoverage,
    scoredAt: new Date(now()),
  };
  const found = [...outcomes].map(([leadId, outcome]) =>
    toScoreRow({ leadId, position: positions.get(leadId) ?? 0 }, outcome, rowContext),
  );
  // The cache is written while MySQL is at the rows: their statement is sent before this turn is over.
  const [stored] = await Promise.all([rows.record(jobId, found), nextTurn().then(remember)]);
  // Where another run has been first, that one offers what it has scored.
  const [row] = stored;
  const { modelVersion, scoredAt } = rowContext;
  if (row?.model_version === modelVersion && row.scored_at.getTime() === scoredAt.getTime()) {
    shadow.offer({ ...rowContext, asked, outcomes });
  }
  return stored;
}
