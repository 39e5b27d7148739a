import type { ActivityLog } from './activity-log.ts';
import type { Pattern } from './pattern.ts';
import { proposeSequences } from './propose-sequences.ts';
import { proposeTimePatterns } from './propose-time-patterns.ts';

export interface Proposal {
  pattern: Pattern;
  /** For comparing proposals with each other only: it is no confidence. */
  score: number;
}

const mostTimePatterns = 20;
const mostSequences = 12;

/** The statistical detector: what a log suggests, the best first, a bounded number of patterns that do not overlap. */
export function proposePatterns(log: ActivityLog): Pattern[] {
  return [
    ...best(proposeTimePatterns(log), mostTimePatterns),
    ...best(proposeSequences(log), mostSequences),
  ].map(({ pattern }) => pattern);
}

function best(proposals: Proposal[], most: number): Proposal[] {
  return proposals.sort((one, other) => other.score - one.score).slice(0, most);
}
