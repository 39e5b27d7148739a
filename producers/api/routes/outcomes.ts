import type { Kysely } from 'kysely';
import { insertOnce } from '../../../shared/activity/insert-once.ts';
import type { Database } from '../../../shared/database/open-database.ts';
import type { Tables } from '../../../shared/database/tables.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { checkOutcomeEvent, outcomeEventSchema, type OutcomeRow } from '../outcome-event.ts';
import { eventsBodySchema, eventsOf, receiveEvents, receiveResponses } from '../receive-events.ts';

export interface OutcomeRouteDependencies {
  database: Pick<Database, 'db'>;
}

const exampleOutcomes = [
  {
    event_id: 'out_0001',
    kind: 'call_answered',
    contact_id: 'contact_123',
    job_id: '0197a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b',
    happened: false,
    occurred_at: '2026-01-15T10:03:00Z',
  },
  {
    event_id: 'out_0002',
    kind: 'page_visited',
    user_id: 'user_42',
    page_key: 'dashboard',
    occurred_at: '2026-01-15T09:12:30+01:00',
  },
  {
    event_id: 'out_0003',
    kind: 'lead_converted',
    lead_id: 'lead_7',
    occurred_at: '2026-01-20T16:45:00Z',
  },
  {
    event_id: 'out_0004',
    kind: 'churned',
    entity_id: 'stu_4532',
    happened: false,
    occurred_at: '2026-02-01T00:00:00Z',
  },
];

export function addOutcomeRoutes(server: HttpServer, { database: { db } }: OutcomeRouteDependencies): void {
  server.post(
    '/v1/outcomes',
    {
      config: { scope: 'produce' },
      schema: {
        tags: ['activity'],
        summary: 'Tell what really happened to those whom predictions are about',
        description:
          'A list of outcomes, or an object with one. Each counts once, by its `event_id`: sending a request again ' +
          'is harmless. A bad one is named under `errors` and fails no other.',
        body: eventsBodySchema(outcomeEventSchema, exampleOutcomes),
        response: receiveResponses,
      },
    },
    (request) => {
      const nowMs = Date.now();
      return receiveEvents(
        eventsOf(request.body),
        (event) => checkOutcomeEvent(event, nowMs),
        (rows) => insertOutcomes(db, rows),
      );
    },
  );
}

function insertOutcomes(db: Kysely<Tables>, rows: readonly OutcomeRow[]): Promise<number> {
  return insertOnce(db, rows, charactersOf, async (transaction, part) => {
    const { numInsertedOrUpdatedRows } = await transaction
      .insertInto('outcomes')
      .ignore()
      .values(part)
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows;
  });
}

function charactersOf({ subject, event_id: eventId, page_key: pageKey }: OutcomeRow): number {
  return subject.length + eventId.length + (pageKey?.length ?? 0);
}
