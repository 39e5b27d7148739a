import type { Generated } from 'kysely';

/**
 * - `pending`: the page is to be made
 * - `processing`: a worker has begun to make it
 * - `completed`: the page is in `page_cache`
 * - `failed`: no page will be made, unless an operator retries the job
 * - `expired`: the window had passed before the page was made
 */
export const generationStatuses = ['pending', 'processing', 'completed', 'failed', 'expired'] as const;
export type GenerationStatus = (typeof generationStatuses)[number];

/** Those of a page that is still to come. */
export const awaitedStatuses = ['pending', 'processing'] as const satisfies readonly GenerationStatus[];

/**
 * Predictions whose page is to be made: one row per user, page and window. Other systems may write rows of user, page,
 * pattern, confidence and window only, and enqueue `content-generation` for them.
 */
export interface GenerationQueueTable {
  id: Generated<number>;
  user_id: string;
  /** The activity that is predicted. */
  page_key: string;
  /** JSON of `shared/patterns/pattern.ts`. */
  pattern: string;
  /** 0 to 1, as verified on the user's own days. */
  confidence: number;
  /** What the model that proposed the pattern believed, 0 to 1; never used. */
  claimed_confidence: Generated<number | null>;
  /** Why, in the words of the model that proposed it. */
  reason: Generated<string | null>;
  /** Who proposed the pattern: `together-<model>` or `baseline-<version>`. */
  proposed_by: Generated<string | null>;
  /** On occasions that did not choose the pattern. */
  hits: Generated<number | null>;
  occasions: Generated<number | null>;
  /** IANA name of the clock in which the pattern's hours are meant. */
  timezone: Generated<string | null>;
  status: Generated<GenerationStatus>;
  window_start: Date;
  /** The end does not belong to it. */
  window_end: Date;
  /** The job that found it. */
  detection_job_id: Generated<string | null>;
  /** The job that makes the page. */
  job_id: Generated<string | null>;
  /** 1 or 0; null while it is not scored, and when what would have led to it did not happen. */
  came_true: Generated<number | null>;
  scored_at: Generated<Date | null>;
  created_at: Generated<Date>;
}
