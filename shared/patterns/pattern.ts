import { z } from 'zod';

/** The longest name of an activity, in characters. */
export const maximumNameLength = 128;

/** Whether a pattern can speak of an activity of this name. */
export function isActivityName(name: string): boolean {
  return name.length > 0 && name.length <= maximumNameLength && name.isWellFormed();
}

/** A pattern says when something is needed only if its window is short: hours. */
export const maximumWindowHours = 3;

export const maximumWithinMinutes = 1_440;

const activityName = z
  .string()
  .min(1)
  .max(maximumNameLength)
  .refine(isActivityName, { error: 'must be well-formed Unicode' });

export const timePatternSchema = z
  .object({
    kind: z.literal('time'),
    activity: activityName,
    weekdays: z
      .array(z.int().min(1).max(7))
      .min(1)
      .max(7)
      .transform((days) => [...new Set(days)].sort((one, other) => one - other))
      .meta({ description: 'ISO weekdays, Monday is 1 and Sunday is 7' }),
    hour_start: z.int().min(0).max(23).meta({ description: "First hour, on the user's own clock" }),
    hour_end: z.int().min(1).max(24).meta({ description: 'The hour that no longer belongs to it' }),
  })
  .refine(({ hour_start, hour_end }) => hour_end > hour_start, {
    path: ['hour_end'],
    error: 'must come after hour_start',
  })
  .refine(({ hour_start, hour_end }) => hour_end - hour_start <= maximumWindowHours, {
    path: ['hour_end'],
    error: `must be at most ${maximumWindowHours} hours after hour_start`,
  });

export const sequencePatternSchema = z
  .object({
    kind: z.literal('sequence'),
    after: activityName.meta({ description: 'What the user does first' }),
    activity: activityName.meta({ description: 'What follows' }),
    within_minutes: z.int().min(1).max(maximumWithinMinutes),
  })
  .refine(({ after, activity }) => after !== activity, {
    path: ['activity'],
    error: 'must differ from after',
  });

/** What a user tends to do: data that a log can confirm or refute. */
export const patternSchema = z.union([timePatternSchema, sequencePatternSchema]);

export type TimePattern = z.output<typeof timePatternSchema>;
export type SequencePattern = z.output<typeof sequencePatternSchema>;
export type Pattern = z.output<typeof patternSchema>;
