import { leadErrorCodes, type LeadChunkResult } from '../../shared/contracts/lead-scoring.ts';
import type { LeadScoresTable } from '../../shared/database/lead-scores-table.ts';
import type { PlacedError } from './to-answer.ts';

/**
 * How many leads have a score, and how many have none, by the code that says why.
 *
 * @param invalid ids that could be no lead's, for which there are no rows
 * @param forgotten how many leads have no row because they were forgotten: nobody knows them any more
 */
export function countScores(
  rows: readonly Pick<LeadScoresTable, 'probability' | 'error_code'>[],
  invalid: readonly PlacedError[],
  forgotten: number,
): LeadChunkResult {
  const codes: string[] = [
    ...rows.flatMap(({ error_code }) => error_code ?? []),
    ...invalid.map(({ error }) => error.code),
    ...Array.from({ length: forgotten }, () => 'LEAD_NOT_FOUND'),
  ];
  const errors: LeadChunkResult['errors'] = {};
  for (const code of leadErrorCodes) {
    const count = codes.filter((each) => each === code).length;
    if (count > 0) errors[code] = count;
  }
  return { scored: rows.filter(({ probability }) => probability !== null).length, errors };
}
