import { z } from 'zod';
import type { IsTimezone } from '../timezone/timezone-names.ts';

/** How far the sender's clock may be ahead of ours. */
const clockSkewMs = 5 * 60_000;
const maxMetadataCharacters = 16 * 1024;

/** The sender's own id of an event. */
export const eventIdSchema = z
  .string()
  .regex(/^[!-~]{1,128}$/, { error: 'must be 1 to 128 ASCII characters without spaces' })
  .meta({ description: "The sender's own id: the same event sent again is counted as a duplicate" });

/** An id or a name that somebody else has given, up to so many characters. */
export function nameSchema(maxCharacters: number) {
  return z
    .string()
    .min(1)
    .max(maxCharacters)
    .regex(/^\S(.*\S)?$/su, { error: 'must not begin or end with a space' })
    .regex(/^\P{Cc}*$/u, { error: 'must not hold control characters' })
    .refine((text) => text.isWellFormed(), { error: 'must be well-formed Unicode' });
}

export const occurredAtSchema = z.iso
  .datetime({ offset: true, error: 'must be an ISO date and time with Z or an offset' })
  .refine((text) => Date.parse(text) >= 0, { error: 'must not be before 1970' });

export const activityEventSchema = z.object({
  event_id: eventIdSchema,
  user_id: nameSchema(128),
  activity_type: nameSchema(128).meta({ description: 'What the user did, for example open_dashboard' }),
  occurred_at: occurredAtSchema,
  timezone: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'IANA name of where the user was; without it UTC' }),
  metadata: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: `Kept as it is; up to ${maxMetadataCharacters} characters of JSON` }),
});

/** Every reason for which one event of many is refused. */
export const eventProblemCodes = [
  'INVALID_EVENT',
  'INVALID_TIMEZONE',
  'OCCURRED_IN_FUTURE',
  'METADATA_TOO_LARGE',
] as const;

/** Why an event is refused; the message never quotes it. */
export interface EventProblem {
  code: (typeof eventProblemCodes)[number];
  message: string;
}

/** An event as a row that is still to be inserted. */
export interface ActivityRow {
  event_id: string;
  user_id: string;
  activity_type: string;
  occurred_at: Date;
  timezone: string | null;
  metadata: string | null;
}

export type Checked<Row> = { row: Row } | { problem: EventProblem };

/** Checks one event of whatever form; answers its row, or why it is refused. */
export function checkActivityEvent(
  event: unknown,
  { nowMs, isTimezone }: { nowMs: number; isTimezone: IsTimezone },
): Checked<ActivityRow> {
  const parsed = activityEventSchema.safeParse(event);
  if (!parsed.success) return { problem: problemOf(parsed.error) };
  const { occurred_at: occurredAt, timezone, metadata, ...named } = parsed.data;
  if (isInFuture(occurredAt, nowMs)) return { problem: occurredInFuture };
  if (timezone !== undefined && !isTimezone(timezone)) return { problem: invalidTimezone };
  const text = metadata === undefined ? null : metadataText(metadata);
  if (text === undefined) {
    const message = `metadata: must not be more than ${maxMetadataCharacters} characters of JSON`;
    return { problem: { code: 'METADATA_TOO_LARGE', message } };
  }
  return {
    row: { ...named, occurred_at: new Date(occurredAt), timezone: timezone ?? null, metadata: text },
  };
}

export const invalidTimezone: EventProblem = {
  code: 'INVALID_TIMEZONE',
  message: 'timezone: must be an IANA name, for example Europe/Berlin',
};

export const occurredInFuture: EventProblem = {
  code: 'OCCURRED_IN_FUTURE',
  message: 'occurred_at: must not be in the future',
};

export function isInFuture(occurredAt: string, nowMs: number): boolean {
  return Date.parse(occurredAt) > nowMs + clockSkewMs;
}

export function problemOf({ issues: [issue] }: z.ZodError): EventProblem {
  const place = issue === undefined ? '' : issue.path.join('.');
  const message = [place, issue?.message ?? 'is not valid'].filter(Boolean).join(': ');
  return { code: 'INVALID_EVENT', message };
}

/** Undefined when it is too large, or nested so deeply that it cannot be written down. */
function metadataText(metadata: Readonly<Record<string, unknown>>): string | undefined {
  try {
    const text = JSON.stringify(metadata);
    return text.length > maxMetadataCharacters ? undefined : text;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
