import { activityEventSchema, checkActivityEvent } from '../../../shared/activity/activity-event.ts';
import { insertActivity } from '../../../shared/activity/insert-activity.ts';
import { exampleActivity } from '../../../shared/api-contract/example-activity.ts';
import type { Database } from '../../../shared/database/open-database.ts';
import { createTimezoneNames } from '../../../shared/timezone/timezone-names.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { eventsBodySchema, eventsOf, receiveEvents, receiveResponses } from '../receive-events.ts';

export interface ActivityRouteDependencies {
  database: Pick<Database, 'db'>;
}

export function addActivityRoutes(server: HttpServer, { database: { db } }: ActivityRouteDependencies): void {
  const isTimezone = createTimezoneNames();
  server.post(
    '/v1/activity',
    {
      config: { scope: 'produce' },
      schema: {
        tags: ['activity'],
        summary: 'Tell what users did',
        description:
          'A list of events, or an object with one. Each event counts once, by its `event_id`: sending a request ' +
          'again is harmless. A bad event is named under `errors` and fails no other.',
        body: eventsBodySchema(activityEventSchema, exampleActivity),
        response: receiveResponses,
      },
    },
    (request) => {
      const nowMs = Date.now();
      return receiveEvents(
        eventsOf(request.body),
        (event) => checkActivityEvent(event, { nowMs, isTimezone }),
        (rows) => insertActivity(db, rows),
      );
    },
  );
}
