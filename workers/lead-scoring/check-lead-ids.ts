import { isLeadId, leadIdRule } from '../../shared/leads/lead-id.ts';
import type { PlacedError } from './to-answer.ts';

export interface CheckedLeadIds {
  /** Where the request names each lead first, from 0, by the lead's id. */
  positions: ReadonlyMap<string, number>;
  /** Ids that can be no lead's, each once. */
  invalid: PlacedError[];
}

/** Sorts out the ids that can be no lead's, and what is named twice. */
export function checkLeadIds(leadIds: readonly string[]): CheckedLeadIds {
  const positions = new Map<string, number>();
  for (const [position, leadId] of leadIds.entries()) {
    if (!positions.has(leadId)) positions.set(leadId, position);
  }
  const invalid: PlacedError[] = [];
  for (const [leadId, position] of positions) {
    if (isLeadId(leadId)) continue;
    positions.delete(leadId);
    const message = `The id ${leadIdRule}`;
    invalid.push({ position, error: { lead_id: leadId, code: 'INVALID_LEAD_ID', message } });
  }
  return { positions, invalid };
}
