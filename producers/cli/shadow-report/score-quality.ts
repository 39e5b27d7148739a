import { leadQuality, type LeadQuality, type ScoresInTenth } from '../../../shared/leads/lead-quality.ts';
import { areaUnderCurve } from './area-under-curve.ts';

/** How good the probabilities of one version turned out to be. */
export interface ScoreQuality extends Pick<LeadQuality, 'accuracy' | 'calibrationError'> {
  /** Undefined when all leads converted, or none. */
  auc: number | undefined;
  /**
   * The mean squared difference of the probability and what happened, 1 or 0 (Brier, Verification of Forecasts Expressed
   * in Terms of Probability, 1950): the lower, the better.
   */
  brier: number;
}

/**
 * @param probabilities of at least one lead
 * @param converted of each lead, 1 or 0
 */
export function scoreQuality(probabilities: Float64Array, converted: Uint8Array): ScoreQuality {
  const tenths = Array.from({ length: 10 }, (_nothing, tenth): ScoresInTenth => {
    return { tenth, leads: 0, converted: 0, probabilitySum: 0 };
  });
  let squares = 0;
  for (const [place, probability] of probabilities.entries()) {
    const happened = converted[place] ?? 0;
    squares += (probability - happened) ** 2;
    const inTenth = tenths[Math.min(Math.floor(probability * 10), 9)];
    if (!inTenth) continue;
    inTenth.leads += 1;
    inTenth.converted += happened;
    inTenth.probabilitySum += probability;
  }
  const { accuracy, calibrationError } = leadQuality(tenths);
  return {
    auc: areaUnderCurve(probabilities, converted),
    accuracy,
    brier: squares / probabilities.length,
    calibrationError,
  };
}
