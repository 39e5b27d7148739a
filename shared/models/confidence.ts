import type { ConfidenceMethod } from './manifest.ts';

/** How sure a model is of one answer. */
export interface Answer {
  /** Calibrated. */
  probability: number;
  /** What each member alone would answer, calibrated in the same way. */
  memberProbabilities: readonly number[];
}

/**
 * How sure a model is of an answer, from 0 to 1. With p the calibrated probability:
 *
 * - `class_probability`: max(p, 1 − p), from 0.5: the chance that the likelier outcome is the right one
 * - `margin`: |2p − 1|: how far the likelier outcome is ahead of the other
 * - `entropy`: 1 − H(p) / ln 2 with H(p) = −p ln p − (1 − p) ln(1 − p): the share of a bit that the answer tells
 * - `agreement`: 1 − 2s with s the population standard deviation of the members' calibrated probabilities, which is
 *   0.5 at most: how little the members differ, whatever they answer
 *
 * The first three only say in other words how far p is from 0.5; the last is about the model, not about the outcome.
 */
export function confidence(method: ConfidenceMethod, answer: Answer): number {
  // Rounding may go past the ends.
  return Math.min(1, Math.max(0, formulas[method](answer)));
}

const formulas: Record<ConfidenceMethod, (answer: Answer) => number> = {
  class_probability: ({ probability }) => Math.max(probability, 1 - probability),
  margin: ({ probability }) => Math.abs(2 * probability - 1),
  entropy: ({ probability }) => 1 - (surprise(probability) + surprise(1 - probability)) / Math.LN2,
  agreement: ({ memberProbabilities }) => 1 - 2 * standardDeviation(memberProbabilities),
};

function surprise(share: number): number {
  return share > 0 ? -share * Math.log(share) : 0;
}

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
