import type { Insertable } from 'kysely';
import { z } from 'zod';
import {
  eventIdSchema,
  isInFuture,
  nameSchema,
  occurredAtSchema,
  occurredInFuture,
  problemOf,
  type Checked,
} from '../../shared/activity/activity-event.ts';
import type { OutcomesTable } from '../../shared/database/outcomes-table.ts';

/** What every outcome says; who it is about differs by its kind. */
const common = {
  event_id: eventIdSchema,
  occurred_at: occurredAtSchema,
  happened: z.boolean().default(true).meta({
    description: 'false: it is known not to have happened, for example a call that nobody answered',
  }),
  job_id: z.uuid().optional().meta({
    description: 'The job that made the prediction; without it, who it is about and the time decide',
  }),
};

export const outcomeEventSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('call_answered'), contact_id: nameSchema(256), ...common }),
  z.object({
    kind: z.literal('page_visited'),
    user_id: nameSchema(128),
    page_key: nameSchema(128),
    ...common,
  }),
  z.object({ kind: z.literal('lead_converted'), lead_id: nameSchema(128), ...common }),
  z.object({ kind: z.literal('churned'), entity_id: nameSchema(256), ...common }),
]);

type OutcomeEvent = z.output<typeof outcomeEventSchema>;

export type OutcomeRow = Insertable<OutcomesTable>;

/** Checks one outcome of whatever form; answers its row, or why it is refused. */
export function checkOutcomeEvent(event: unknown, nowMs: number): Checked<OutcomeRow> {
  const parsed = outcomeEventSchema.safeParse(event);
  if (!parsed.success) return { problem: problemOf(parsed.error) };
  const outcome = parsed.data;
  if (isInFuture(outcome.occurred_at, nowMs)) return { problem: occurredInFuture };
  return {
    row: {
      event_id: outcome.event_id,
      kind: outcome.kind,
      subject: subjectOf(outcome),
      page_key: outcome.kind === 'page_visited' ? outcome.page_key : null,
      job_id: outcome.job_id?.toLowerCase() ?? null,
      happened: outcome.happened ? 1 : 0,
      occurred_at: new Date(outcome.occurred_at),
    },
  };
}

function subjectOf(outcome: OutcomeEvent): string {
  switch (outcome.kind) {
    case 'call_answered':
      return outcome.contact_id;
    case 'page_visited':
      return outcome.user_id;
    case 'lead_converted':
      return outcome.lead_id;
    case 'churned':
      return outcome.entity_id;
    default:
      return outcome satisfies never;
  }
}
