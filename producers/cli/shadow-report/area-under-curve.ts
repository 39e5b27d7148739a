import { midRanks } from './mid-ranks.ts';

/**
 * The area under the ROC curve: how likely a lead that converted was given a higher probability than one that did not,
 * equal ones counted half. It is (R - n(n + 1) / 2) / (n m), with R the sum of the mid-ranks of the n that converted, of
 * n + m (the U statistic of Mann and Whitney, 1947; Hanley and McNeil, The Meaning and Use of the Area under a ROC Curve,
 * 1982). Undefined when all converted, or none.
 *
 * @param converted of each lead, 1 or 0
 */
export function areaUnderCurve(probabilities: Float64Array, converted: Uint8Array): number | undefined {
  let [positives, rankSum] = [0, 0];
  for (const [place, rank] of midRanks(probabilities).entries()) {
    if (converted[place] !== 1) continue;
    positives += 1;
    rankSum += rank;
  }
  const negatives = probabilities.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
