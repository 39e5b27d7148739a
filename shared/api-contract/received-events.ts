import { z } from 'zod';
import { eventIdSchema, eventProblemCodes } from '../activity/activity-event.ts';

export const receivedSchema = z
  .object({
    accepted: z.int().min(0).meta({ description: 'Events that are new' }),
    duplicates: z.int().min(0).meta({ description: 'Events whose `event_id` was known already' }),
    errors: z.array(
      z.object({
        index: z.int().min(0).meta({ description: "The event's place in the request, from 0" }),
        event_id: eventIdSchema.optional(),
        code: z.enum(eventProblemCodes),
        message: z.string(),
      }),
    ),
  })
  .meta({
    id: 'ReceivedEvents',
    description: 'What became of the events; together the three make all of them',
    examples: [
      {
        accepted: 4_998,
        duplicates: 1,
        errors: [
          {
            index: 17,
            event_id: 'evt_0018',
            code: 'INVALID_TIMEZONE',
            message: 'timezone: must be an IANA name, for example Europe/Berlin',
          },
        ],
      },
    ],
  });

export type Received = z.output<typeof receivedSchema>;
