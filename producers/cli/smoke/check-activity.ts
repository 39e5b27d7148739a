import { exampleActivity } from '../../../shared/api-contract/example-activity.ts';
import { receivedSchema } from '../../../shared/api-contract/received-events.ts';
import { pageListSchema } from '../../../shared/api-contract/stored-page.ts';
import { predictionListSchema } from '../../../shared/api-contract/stored-prediction.ts';
import { findOut } from './find-out.ts';
import type { SmokeDocument } from './smoke-document.ts';
import { WrongAnswer } from './wrong-answer.ts';

const subject = '001';
const userId = 'presage-smoke';

/** Under ids that no user has; sent again, they are the same events. */
const events = exampleActivity.map((event) => ({
  ...event,
  event_id: `${userId}-${event.event_id}`,
  user_id: userId,
}));

/**
 * Document 001: activity is taken, predictions and pages can be read. What ticks and models make of activity takes days
 * of it, and is not looked at.
 */
export const checkActivity: SmokeDocument = (api) =>
  Promise.all([
    findOut(subject, 'activity', async ({ ok }) => {
      const { body } = await api.ask({ path: '/v1/activity', body: { events } }, { schema: receivedSchema });
      const { accepted, duplicates, errors } = body;
      const [error] = errors;
      if (!error && accepted + duplicates === events.length) {
        return ok(`${accepted} events of ${userId} are new, ${duplicates} were known`);
      }
      throw new WrongAnswer(
        error
          ? `the event ${error.index} has the error ${error.code}: ${error.message}`
          : `${accepted + duplicates} of ${events.length} events came back`,
        'The example must pass: is the API of the same version as this command?',
      );
    }),
    findOut(subject, 'predictions', async ({ ok }) => {
      const { body } = await api.ask({ path: `/v1/predictions/${userId}` }, { schema: predictionListSchema });
      return ok(`readable, ${body.predictions.length} of ${userId}`);
    }),
    findOut(subject, 'pages', async ({ ok }) => {
      const { body } = await api.ask({ path: `/v1/pages/${userId}` }, { schema: pageListSchema });
      return ok(`readable, ${body.pages.length} of ${userId}`);
    }),
  ]);
