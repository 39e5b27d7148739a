/** How much a week counts against the week after it, where it matters how recent something is. */
export const fading = 0.5;

/** What a user's own days say about a pattern. Counts of days, or of times that the leading activity was done. */
export interface Evidence {
  kind: 'time' | 'sequence';
  /** On occasions that did not choose the pattern: of these numbers a user is told. */
  hits: number;
  occasions: number;
  /** On all occasions: it looks better than it is, because the pattern was chosen to fit them. */
  fittedHits: number;
  fittedOccasions: number;
  /** The same, each week counting half as much as the week after it: a habit that has ended shows here. */
  recentHits: number;
  recentOccasions: number;
  /** How often the same would be seen at other hours, or after other activities: a share. */
  baseRate: number;
}
