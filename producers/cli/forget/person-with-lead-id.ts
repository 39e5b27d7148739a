import type { Kysely } from 'kysely';
import { despiteContention } from '../../../shared/database/despite-contention.ts';
import type { Tables } from '../../../shared/database/tables.ts';
import { leadScoreCacheKey } from '../../../shared/leads/lead-score-cache-key.ts';
import { deleteInParts } from './delete-in-parts.ts';
import { forgetInJob } from './forget-in-job.ts';
import { forgotten, mentionOf } from './mention.ts';
import type { Person } from './person.ts';

/**
 * Who is the lead of this id. They keep their place in a request and in its result, where what was found out about them
 * becomes a score of nobody. An open job treats them as a lead that does not exist.
 */
export function personWithLeadId(leadId: string): Person {
  const mention = mentionOf(leadId);
  return {
    name: leadId,
    mention,
    isSubjectOf: () => false,

    async forgetSources({ db }, done) {
      // First of all: who is not known gets no further score.
      done.leads_deleted += await deleteInParts((limit) => deleteLead(leadId, limit, db));
      return [];
    },

    forgetInJob: (texts) =>
      forgetInJob(texts, mention, (value) =>
        isErrorOf(leadId, value) ? { ...value, message: forgotten } : value,
      ),

    async forgetBesideJobs({ db, cache }, done) {
      done.lead_scores_deleted += await deleteInParts((limit) => deleteScores(leadId, limit, db));
      // After the scores, without which a worker records nothing more of what a challenger says.
      done.lead_shadow_scores_deleted += await deleteInParts((limit) =>
        deleteShadowScores(leadId, limit, db),
      );
      done.outcomes_deleted += await deleteInParts((limit) => deleteOutcomes(leadId, limit, db));
      done.cache_entries_deleted += await cache.client.del(leadScoreCacheKey(leadId));
    },
  };
}

/** Why a lead has no score may say what is known of them. */
function isErrorOf(leadId: string, value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return 'lead_id' in value && value.lead_id === leadId && 'message' in value;
}

async function deleteLead(leadId: string, limit: number, db: Kysely<Tables>): Promise<bigint> {
  const { numDeletedRows } = await db
    .deleteFrom('leads')
    .where('lead_id', '=', leadId)
    .limit(limit)
    .executeTakeFirstOrThrow();
  return numDeletedRows;
}

async function deleteScores(leadId: string, limit: number, db: Kysely<Tables>): Promise<bigint> {
  const scores = db.deleteFrom('lead_scores').where('lead_id', '=', leadId).limit(limit);
  // A worker that compares scores with a challenger's holds some of them.
  const { numDeletedRows } = await despiteContention(() => scores.executeTakeFirstOrThrow());
  return numDeletedRows;
}

async function deleteShadowScores(leadId: string, limit: number, db: Kysely<Tables>): Promise<bigint> {
  const scores = db.deleteFrom('lead_shadow_scores').where('lead_id', '=', leadId).limit(limit);
  const { numDeletedRows } = await despiteContention(() => scores.executeTakeFirstOrThrow());
  return numDeletedRows;
}

/** Those of other kinds are about a contact, a user or an entity that has the same id. */
async function deleteOutcomes(leadId: string, limit: number, db: Kysely<Tables>): Promise<bigint> {
  const { numDeletedRows } = await db
    .deleteFrom('outcomes')
    .where('subject', '=', leadId)
    .where('kind', '=', 'lead_converted')
    .limit(limit)
    .executeTakeFirstOrThrow();
  return numDeletedRows;
}
