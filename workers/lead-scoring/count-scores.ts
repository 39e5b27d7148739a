import { leadErrorCodes, type LeadChunkResult } from '../../shared/contracts/lead-scoring.ts';
import type { LeadScoresTable } from '../../shared/database/lead-scores-table.ts';
import type { PlacedError } from './to-answer.ts';

/**
 * How many leads have a score, and how many have none, by the code that says why.
 *
 * @param invalid ids that could be no lead's, for which there are no rows
 */
export function countScores(
  rows: readonly Pick<LeadScoresTable, 'probability' | 'error_code'>[],
  invalid: readonly PlacedError[],
): LeadChunkResult {
  const codes = [
    ...rows.flatMap(({ error_code }) => error_code ?? []),
    ...invalid.map(({ error }) => error.code),
  ];
  const errors: LeadChunkResult['errors'] = {};
  for (const code of leadErrorCodes) {
    const count = codes.filter((each) => each === code).length;
    if (count > 0) errors[code] = count;
  }
  return { scored: rows.filter(({ probability }) => probability !== null).length, errors };
}
