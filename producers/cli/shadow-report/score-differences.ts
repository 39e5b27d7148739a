import { rankCorrelation } from './rank-correlation.ts';
import { scoreShift } from './score-shift.ts';

/** How the probabilities of two versions differ for the same leads. */
export interface ScoreDifferences {
  championMean: number;
  challengerMean: number;
  /** Of the absolute differences, as the following ones. */
  mean: number;
  /** The least difference that so many percent of the leads do not exceed. */
  p50: number;
  p95: number;
  largest: number;
  /** The share of leads that one version predicts to convert, from 0.5 on, and the other does not. */
  sidesChanged: number;
  /** Spearman's; undefined when a version states the same of all leads. */
  rankCorrelation: number | undefined;
  /** The population stability index of all that both state. */
  psi: number;
}

/** @param champion at least one probability; the challenger's are of the same leads in the same order */
export function scoreDifferences(champion: Float64Array, challenger: Float64Array): ScoreDifferences {
  const differences = champion.map((probability, place) =>
    Math.abs(probability - (challenger[place] ?? Number.NaN)),
  );
  let sidesChanged = 0;
  for (const [place, probability] of champion.entries()) {
    if (probability >= 0.5 !== (challenger[place] ?? 0) >= 0.5) sidesChanged += 1;
  }
  const ascending = differences.toSorted();
  return {
    championMean: mean(champion),
    challengerMean: mean(challenger),
    mean: mean(differences),
    p50: percentile(ascending, 50),
    p95: percentile(ascending, 95),
    largest: percentile(ascending, 100),
    sidesChanged: sidesChanged / champion.length,
    rankCorrelation: rankCorrelation(champion, challenger),
    psi: scoreShift(champion.toSorted(), challenger),
  };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** By nearest rank: a value that occurs. */
function percentile(ascending: Float64Array, percent: number): number {
  return ascending[Math.ceil((percent / 100) * ascending.length) - 1] ?? Number.NaN;
}
