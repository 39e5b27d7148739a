import type { Kysely } from 'kysely';
import type { Tables } from '../../../shared/database/tables.ts';
import type { BundleProblem } from '../../../shared/models/check-bundle.ts';
import type { RegisteredModel } from '../../../shared/models/model-registry.ts';
import { readComparedScores, type ComparedScores } from './read-compared-scores.ts';
import { readJudgedPairs, type JudgedPairs } from './read-judged-pairs.ts';
import { scoreDifferences } from './score-differences.ts';
import { scoreQuality } from './score-quality.ts';

/** What `--json` prints. Probabilities, shares and figures are as they were computed, not rounded. */
export interface ShadowReport {
  model_id: string;
  days: number;
  /** The versions that were compared; null while nothing was. */
  champion: string | null;
  /** Also the one that is named and was not compared yet. */
  challenger: string | null;
  /** Whether the registry names it the challenger now. */
  is_challenger: boolean;
  /** Why workers refuse to load it. */
  problems: readonly BundleProblem[];
  rows: ReportedRows | null;
  /** Of the leads that both scored. */
  differences: Differences | null;
  /** Of those, the leads of which it is known whether they converted. */
  outcomes: Outcomes | null;
}

interface ReportedRows {
  compared: number;
  scored_by_both: number;
  rejected_by_champion_only: number;
  rejected_by_challenger_only: number;
  rejected_by_both: number;
  /** Beside earlier champions; not among those above. */
  beside_other_champions: number;
  /** ISO, UTC: when the champion answered. */
  first_scored_at: string;
  last_scored_at: string;
  /** Older ones were not looked at. */
  is_cut_short: boolean;
}

interface Differences {
  champion_mean: number;
  challenger_mean: number;
  mean_absolute: number;
  p50_absolute: number;
  p95_absolute: number;
  largest_absolute: number;
  sides_changed_share: number;
  rank_correlation: number | null;
  psi: number;
}

interface Quality {
  auc: number | null;
  accuracy: number;
  brier: number;
  calibration_error: number;
}

interface Outcomes {
  leads: number;
  base_rate: number;
  champion: Quality;
  challenger: Quality;
}

const dayMs = 86_400_000;

/**
 * Compares the challenger, or the last one there was, with the champion that answered beside it last.
 *
 * @param problems of the challenger that is named
 * @throws StoreUnavailableError
 */
export async function shadowReport(
  db: Kysely<Tables>,
  { modelId, challenger }: Pick<RegisteredModel, 'modelId' | 'challenger'>,
  { days, problems }: { days: number; problems: readonly BundleProblem[] },
): Promise<ShadowReport> {
  const since = new Date(Date.now() - days * dayMs);
  const scores = await readComparedScores(db, { modelId, challenger, since });
  const report = {
    model_id: modelId,
    days,
    champion: scores?.pair.champion ?? null,
    challenger: scores?.pair.challenger ?? challenger ?? null,
    is_challenger: challenger !== undefined,
    problems,
  };
  if (!scores) return { ...report, rows: null, differences: null, outcomes: null };
  const judged = await readJudgedPairs(db, scores.pair, since);
  return {
    ...report,
    rows: reportedRows(scores),
    differences: differences(scores),
    outcomes: outcomes(judged),
  };
}

function reportedRows(scores: ComparedScores): ReportedRows {
  return {
    compared: scores.rows,
    scored_by_both: scores.champion.length,
    rejected_by_champion_only: scores.rejectedByChampionOnly,
    rejected_by_challenger_only: scores.rejectedByChallengerOnly,
    rejected_by_both: scores.rejectedByBoth,
    beside_other_champions: scores.besideOthers,
    first_scored_at: scores.first.toISOString(),
    last_scored_at: scores.last.toISOString(),
    is_cut_short: scores.isCutShort,
  };
}

function differences({ champion, challenger }: ComparedScores): Differences | null {
  if (champion.length === 0) return null;
  const found = scoreDifferences(champion, challenger);
  return {
    champion_mean: found.championMean,
    challenger_mean: found.challengerMean,
    mean_absolute: found.mean,
    p50_absolute: found.p50,
    p95_absolute: found.p95,
    largest_absolute: found.largest,
    sides_changed_share: found.sidesChanged,
    rank_correlation: found.rankCorrelation ?? null,
    psi: found.psi,
  };
}

function outcomes({ champion, challenger, converted }: JudgedPairs): Outcomes | null {
  if (converted.length === 0) return null;
  return {
    leads: converted.length,
    base_rate: converted.reduce((sum, happened) => sum + happened, 0) / converted.length,
    champion: quality(champion, converted),
    challenger: quality(challenger, converted),
  };
}

function quality(probabilities: Float64Array, converted: Uint8Array): Quality {
  const { auc, accuracy, brier, calibrationError } = scoreQuality(probabilities, converted);
  return { auc: auc ?? null, accuracy, brier, calibration_error: calibrationError };
}
