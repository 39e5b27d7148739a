import type { ActivityLog } from './activity-log.ts';
import { describeEvidence } from './describe-evidence.ts';
import type { Evidence } from './evidence.ts';
import { isPattern } from './is-pattern.ts';
import type { Pattern } from './pattern.ts';
import type { Population } from './population.ts';
import { sequenceEvidence } from './sequence-evidence.ts';
import { timeEvidence } from './time-evidence.ts';

export interface Verdict {
  /** On occasions that did not choose the pattern. */
  hits: number;
  occasions: number;
  /** How likely it comes true on an occasion of the week after the log, 0 to 1; 0 when the log shows no pattern. */
  confidence: number;
}

/** Tests a proposed pattern, whoever proposed it, on a user's log. */
export function verifyPattern(pattern: Pattern, log: ActivityLog, population: Population): Verdict {
  const evidence = gatherEvidence(pattern, log);
  return {
    hits: evidence.hits,
    occasions: evidence.occasions,
    confidence: isPattern(evidence) ? confidenceOf(evidence, population) : 0,
  };
}

export function gatherEvidence(pattern: Pattern, log: ActivityLog): Evidence {
  return pattern.kind === 'time' ? timeEvidence(pattern, log) : sequenceEvidence(pattern, log);
}

/** Of the evidence of a pattern, how likely it holds next time. */
export function confidenceOf(evidence: Evidence, population: Population): number {
  const weights = population[evidence.kind];
  const logit = describeEvidence(evidence).reduce(
    (sum, value, place) => sum + value * (weights[place] ?? 0),
    0,
  );
  return 1 / (1 + Math.exp(-logit));
}
