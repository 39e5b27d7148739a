import { z } from 'zod';
import { defineQueue } from './define-queue.ts';

/** What a tick answers when all of its users are done, or its time is over. */
export const sweepResultSchema = z.object({
  success: z.boolean().meta({ description: 'False: its time was over before all of its users were done' }),
  active_users: z.int().min(0),
  patterns_detected: z.int().min(0).meta({ description: 'At least MIN_CONFIDENCE likely' }),
  predictions_queued: z.int().min(0).meta({ description: 'At least QUEUE_CONFIDENCE likely, and new' }),
});

export type SweepResult = z.output<typeof sweepResultSchema>;

/** What came of looking at one user. */
export const userPatternsSchema = z.object({
  patterns_detected: z.int().min(0),
  predictions_queued: z.int().min(0),
  model_used: z.string().nullable().meta({
    description: 'together-<model> or baseline-<version>; null where there was nothing to ask about',
  }),
  degraded: z
    .boolean()
    .meta({ description: 'Whether statistics stood alone because no model could be asked' }),
});

export type UserPatterns = z.output<typeof userPatternsSchema>;

/**
 * Document 001: what users will need next. An empty payload is a tick, which looks at every active user who did
 * something since the last look; one with a user looks at that user now.
 */
export const patternDetection = defineQueue({
  name: 'pattern-detection',
  payload: z.union([z.strictObject({ user_id: z.string().min(1).max(128) }), z.strictObject({})]),
  result: z.union([sweepResultSchema, userPatternsSchema]),
  attempts: 5,
  // A tick goes through all users; a user's model is asked twice for 30 s at most, and what a call of another worker is
  // waited for.
  deadlineMs: 5 * 60_000,
  // Of the ticks; their users' jobs yield to them.
  lane: 'interactive',
});
