/** Scores that lie in one tenth of 0 to 1, and what became of their leads. */
export interface ScoresInTenth {
  /** From 0, [0, 0.1), to 9, [0.9, 1]. */
  tenth: number;
  leads: number;
  /** Those of them that converted. */
  converted: number;
  /** The sum of what was stated, one probability for each lead. */
  probabilitySum: number;
}

/** How good scores turned out to be. A lead is predicted to convert from a probability of 0.5 on. */
export interface LeadQuality {
  leads: number;
  /** The share of leads of which the prediction was right. */
  accuracy: number;
  /** The share of leads predicted to convert that did; undefined when none was predicted to. */
  precision: number | undefined;
  /** The share of converted leads that were predicted to; undefined when none converted. */
  recall: number | undefined;
  /** The expected calibration error: over tenths, the mean gap of stated and realised, weighted by leads. */
  calibrationError: number;
}

/** The tenth that begins at 0.5. */
const firstPositiveTenth = 5;

/** @param scores of one version, at least one, each tenth at most once */
export function leadQuality(scores: readonly ScoresInTenth[]): LeadQuality {
  let leads = 0;
  let gaps = 0;
  let predicted = 0;
  let converted = 0;
  let convertedAsPredicted = 0;
  for (const { tenth, leads: inTenth, converted: convertedInTenth, probabilitySum } of scores) {
    leads += inTenth;
    converted += convertedInTenth;
    // The weight of the tenth times its gap, but for the number of all leads.
    gaps += Math.abs(probabilitySum - convertedInTenth);
    if (tenth < firstPositiveTenth) continue;
    predicted += inTenth;
    convertedAsPredicted += convertedInTenth;
  }
  const wrong = predicted - convertedAsPredicted + (converted - convertedAsPredicted);
  return {
    leads,
    accuracy: (leads - wrong) / leads,
    precision: predicted === 0 ? undefined : convertedAsPredicted / predicted,
    recall: converted === 0 ? undefined : convertedAsPredicted / converted,
    calibrationError: gaps / leads,
  };
}
