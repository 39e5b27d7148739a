import { z } from 'zod';
import type { ActivityLog } from '../../shared/patterns/activity-log.ts';
import { patternSchema, type Pattern } from '../../shared/patterns/pattern.ts';

/** A pattern that somebody proposes, and what they say about it. */
export interface Proposal {
  pattern: Pattern;
  proposedBy: 'model' | 'statistics';
  /** How sure the model is, 0 to 1. */
  claimedConfidence: number | null;
  reason: string | null;
}

/** Why an item of a model's answer is no proposal. */
export type NoProposal = 'malformed' | 'unknown_activity' | 'too_many';

const mostItems = 32;
/** Whole characters. */
const longestText = /^.{0,300}/su;

const claimSchema = z.object({
  confidence: z.number().min(0).max(1),
  reason: z.string().transform(plainText),
});

/** Takes what can be used of a model's answer, item by item; `without` says what was wrong with the others. */
export function readProposals(
  items: readonly unknown[],
  log: ActivityLog,
): { proposals: Proposal[]; without: NoProposal[] } {
  const proposals: Proposal[] = [];
  const without = items.slice(mostItems).map((): NoProposal => 'too_many');
  for (const item of items.slice(0, mostItems)) {
    const pattern = patternSchema.safeParse(item).data;
    const claim = claimSchema.safeParse(item).data;
    if (!pattern || !claim) {
      without.push('malformed');
    } else if (!isKnown(pattern, log)) {
      without.push('unknown_activity');
    } else {
      const { confidence: claimedConfidence, reason } = claim;
      proposals.push({ pattern, proposedBy: 'model', claimedConfidence, reason: reason || null });
    }
  }
  return { proposals, without };
}

function isKnown(pattern: Pattern, { byName }: ActivityLog): boolean {
  return byName.has(pattern.activity) && (pattern.kind === 'time' || byName.has(pattern.after));
}

/** On one line and without anything invisible; cut between characters. */
function plainText(text: string): string {
  const line = text.replaceAll(/[\p{C}\s]+/gu, ' ').trim();
  return longestText.exec(line)?.[0].trim() ?? '';
}
