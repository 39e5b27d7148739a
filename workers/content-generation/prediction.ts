import type { Pattern } from '../../shared/patterns/pattern.ts';

/** A row of `generation_queue`: a page that a user is expected to need, and when. */
export interface Prediction {
  id: number;
  userId: string;
  /** The activity that is predicted. */
  pageKey: string;
  /** `undefined` when another system wrote the row and its pattern is none of ours. */
  pattern: Pattern | undefined;
  /** Why, in the words of whoever proposed the pattern. */
  reason: string | null;
  timezone: string | null;
  windowStart: Date;
  /** The end does not belong to it. */
  windowEnd: Date;
}
