import { predictionCacheKey } from '../../../shared/prediction-cache/prediction-cache-key.ts';
import { forgetInJob, type JobTexts } from './forget-in-job.ts';
import { forgotten } from './mention.ts';
import type { Person } from './person.ts';

const rowsPerStatement = 500;

/**
 * Who has this phone number. Their contacts keep their place in a request and lose everything that they say: an open
 * job treats them as contacts with a bad number. Their ids go from the result.
 *
 * @param phoneNumber in E.164 form
 */
export function personWithPhone(phoneNumber: string): Person {
  // Not where it is the beginning of a longer one. Of all characters of E.164 only the plus sign in front means
  // something in a pattern.
  const mention = new RegExp(`\\${phoneNumber}(?!\\d)`, 'g');
  return {
    name: phoneNumber,
    mention,
    isSubjectOf: () => false,
    forgetSources: () => Promise.resolve([]),
    forgetInJob: (texts) => forgetContacts(texts, phoneNumber, mention),

    async forgetBesideJobs({ db, cache }, done) {
      for (let deleted = rowsPerStatement; deleted === rowsPerStatement;) {
        const { numDeletedRows } = await db
          .deleteFrom('call_time_predictions')
          .where('phone_number', '=', phoneNumber)
          .limit(rowsPerStatement)
          .executeTakeFirstOrThrow();
        deleted = Number(numDeletedRows);
        done.predictions_deleted += deleted;
      }
      done.cache_entries_deleted += await cache.client.del(predictionCacheKey(phoneNumber));
    },
  };
}

function forgetContacts(texts: JobTexts, phoneNumber: string, mention: RegExp): JobTexts {
  const contactIds = new Set<string>();

  return forgetInJob(texts, mention, (value, field) => {
    if (field === 'contactId' && typeof value === 'string' && contactIds.has(value)) return forgotten;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const fields = Object.entries(value);
    const isThePerson = fields.some(
      ([name, content]) => /^phone_?number$/i.test(name) && content === phoneNumber,
    );
    return isThePerson ? tombstone(fields) : value;
  });

  /** As much of a contact as its queue's contract asks for. */
  function tombstone(fields: readonly (readonly [string, unknown])[]): Record<string, string> {
    const id = fields.find(([name]) => name === 'id')?.[1];
    if (typeof id === 'string') contactIds.add(id);
    return { ...(id === undefined ? {} : { id: forgotten }), phoneNumber: forgotten };
  }
}
