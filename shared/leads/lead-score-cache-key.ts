/** Under which the lead-scoring worker caches a lead's score. */
export function leadScoreCacheKey(leadId: string): string {
  return `ml:lead-score:${leadId}`;
}
