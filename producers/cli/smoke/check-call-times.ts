import { storedCallTimeSchema } from '../../../shared/api-contract/stored-call-time.ts';
import { callTimePrediction, exampleContacts } from '../../../shared/contracts/call-time-prediction.ts';
import { findOut } from './find-out.ts';
import type { SmokeDocument } from './smoke-document.ts';
import { WrongAnswer } from './wrong-answer.ts';

const subject = '000';

/** Document 000: its contact is predicted, and read back. Every run is a job and a row of its own. */
export const checkCallTimes: SmokeDocument = async (api) => {
  const { contacts } = exampleContacts;
  const predicted = await findOut(subject, 'call-times', async ({ ok, warn }) => {
    const path = `/v1/call-times?wait_ms=${api.waitMs}`;
    const { body } = await api.ask({ path, body: exampleContacts }, { schema: callTimePrediction.result });
    const [error] = body.errors;
    if (error) {
      throw new WrongAnswer(
        `${error.contactId} has the error ${error.code}: ${error.message}`,
        'The example must pass: is the worker of the same version as this command?',
      );
    }
    const ids = body.predictions.map(({ contactId }) => contactId);
    const [prediction] = body.predictions;
    if (!prediction || ids.join() !== contacts.map(({ id }) => id).join()) {
      throw new WrongAnswer(
        `${ids.length} predictions for ${contacts.length} contacts`,
        'Every contact must come back once: is the worker of the same version as this command?',
      );
    }
    const { source, optimalCallTime } = prediction;
    const told = `${prediction.contactId} predicted, confidence ${optimalCallTime.confidence}, by ${source}`;
    if (source !== 'default') return ok(told);
    return warn(
      `${told}: the endpoint was not reached`,
      'Set SAGEMAKER_ENDPOINT_NAME for the worker, or ask presage doctor.',
    );
  });
  const readBack = contacts.map(({ phoneNumber }) =>
    findOut(subject, 'read back', async ({ ok }) => {
      const { body } = await api.ask(
        { path: `/v1/call-times/${encodeURIComponent(phoneNumber)}` },
        { schema: storedCallTimeSchema },
      );
      return ok(`stored at ${body.predicted_at}`);
    }),
  );
  return [predicted, ...(await Promise.all(readBack))];
};
