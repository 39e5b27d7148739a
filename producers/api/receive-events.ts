import { z } from 'zod';
import { problemSchema } from '../../shared/api-contract/problem-schema.ts';
import { eventIdSchema, type Checked } from '../../shared/activity/activity-event.ts';
import { receivedSchema, type Received } from '../../shared/api-contract/received-events.ts';
import { problemFromIssues } from '../../shared/http/problem.ts';

export const maxEvents = 5_000;

const listSchema = z.array(z.unknown()).min(1).max(maxEvents);
const envelopeSchema = z.object({ events: listSchema });
const withEventIdSchema = z.object({ event_id: eventIdSchema });

/** What a route that receives events answers. */
export const receiveResponses = {
  200: receivedSchema,
  400: problemSchema,
  401: problemSchema,
  403: problemSchema,
  413: problemSchema,
  415: problemSchema,
  422: problemSchema,
  429: problemSchema,
  500: problemSchema,
  503: problemSchema,
};

/** What a body of such events may look like, for the description of the API. */
export function eventsBodySchema(event: z.ZodType, examples: readonly unknown[]) {
  const events = z.array(event).min(1).max(maxEvents);
  return z.union([z.object({ events }), events]).meta({ examples: [{ events: examples }, examples] });
}

/**
 * The events of a body, whatever each of them looks like.
 *
 * @throws ProblemError when it is neither a list nor has one, or the list is empty or too long
 */
export function eventsOf(body: unknown): unknown[] {
  const parsed = Array.isArray(body)
    ? listSchema.safeParse(body)
    : envelopeSchema.transform(({ events }) => events).safeParse(body);
  if (!parsed.success) throw problemFromIssues(parsed.error.issues);
  return parsed.data;
}

/**
 * Checks each event by itself and inserts the good ones: a bad one never fails the others.
 *
 * @param insert answers how many were new
 */
export async function receiveEvents<Row>(
  events: readonly unknown[],
  check: (event: unknown) => Checked<Row>,
  insert: (rows: readonly Row[]) => Promise<number>,
): Promise<Received> {
  const rows: Row[] = [];
  const errors: Received['errors'] = [];
  for (const [index, event] of events.entries()) {
    const checked = check(event);
    if ('row' in checked) rows.push(checked.row);
    else errors.push({ index, ...withEventIdSchema.safeParse(event).data, ...checked.problem });
  }
  const accepted = rows.length === 0 ? 0 : await insert(rows);
  return { accepted, duplicates: rows.length - accepted, errors };
}
