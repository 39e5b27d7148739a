import type { Kysely } from 'kysely';
import { patternDetection } from '../../../shared/contracts/pattern-detection.ts';
import type { Tables } from '../../../shared/database/tables.ts';
import { forgetPages } from '../../../shared/pages/forget-pages.ts';
import { deleteInParts } from './delete-in-parts.ts';
import { deleteLook } from './delete-look.ts';
import { deletePredictions } from './delete-predictions.ts';
import { findPredictions } from './find-predictions.ts';
import { forgetInJob } from './forget-in-job.ts';
import { forgotten, mentionOf } from './mention.ts';
import type { Person } from './person.ts';

/** Texts of an alert, its event or its insight that say nothing about whom it is about. */
const saysNothing: ReadonlySet<string> = new Set([
  'alert_type',
  'prediction_type',
  'severity',
  'entity_type',
  'model_used',
  'prompt_version',
  'job_id',
  'source',
  'detail-type',
  'time',
  'timestamp',
]);

/**
 * Who has this user id, which alerts call `entity_id`. Alerts and insights about them keep their form and their
 * numbers and lose every text that could say something about them. A look at what they tend to do keeps its numbers.
 */
export function personWithUserId(userId: string): Person {
  const mention = mentionOf(userId);

  /** Of an alert, of the event around it, and of an insight. */
  function isTheirs(value: unknown): value is Record<string, unknown> {
    if (!isRecord(value)) return false;
    return value['entity_id'] === userId || (isRecord(value['detail']) && isTheirs(value['detail']));
  }

  /** Whether a job looks at what they tend to do. */
  function isLookAtThem(payload: unknown): boolean {
    const look = patternDetection.payload.safeParse(payload).data;
    return look !== undefined && 'user_id' in look && look.user_id === userId;
  }

  return {
    name: userId,
    mention,
    isSubjectOf: (payload) => isTheirs(payload) || isLookAtThem(payload),

    async forgetSources({ db }, done) {
      // In this order: who looks at them needs the log, and who makes a prediction needs that they were looked at.
      done.events_deleted += await deleteInParts((limit) => deleteActivity(userId, limit, db));
      const lookedAtBy = await deleteLook(userId, db);
      done.looks_deleted += lookedAtBy.length;
      const predictions = await findPredictions(userId, db);
      return [...lookedAtBy, ...predictions.flatMap(({ jobIds }) => jobIds)];
    },

    forgetInJob: (texts, isPredictions) =>
      forgetInJob(texts, mention, (value, field) => {
        if (isPredictions && field === 'page_key') return forgotten;
        return isTheirs(value) ? withoutTexts(value) : value;
      }),

    async forgetBesideJobs({ db, cache, insights }, done) {
      done.predictions_rewritten += await forgetContactId(userId, db);
      done.insights_deleted += (await insights?.forget(userId)) ?? 0;
      // A page is stored only while its prediction is there.
      done.predictions_deleted += await deletePredictions(userId, new Set(done.running), db);
      done.pages_deleted += await forgetPages(userId, { db, redis: cache.client });
      done.outcomes_deleted += await deleteInParts((limit) => deleteOutcomes(userId, limit, db));
    },
  };
}

function withoutTexts(alert: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(alert).map(([name, content]) => {
      if (name === 'detail' && isRecord(content)) return [name, withoutTexts(content)];
      return [name, saysNothing.has(name) ? content : withoutAnyText(content)];
    }),
  );
}

function withoutAnyText(value: unknown): unknown {
  if (typeof value === 'string') return forgotten;
  if (Array.isArray(value)) return value.map(withoutAnyText);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, content]) => [name, withoutAnyText(content)]));
}

/**
 * Callers may call a contact by the user id too. The prediction is about the phone number and stays; whose number it
 * is goes. Answers how many there were.
 */
async function forgetContactId(userId: string, db: Kysely<Tables>): Promise<number> {
  // Found without locks, changed by their primary keys: no index has contact ids.
  const found = await db
    .selectFrom('call_time_predictions')
    .select(['job_id', 'position', 'contact_id'])
    .where('contact_id', '=', userId)
    .execute();
  // For MySQL, texts that differ in spaces at their end are equal.
  const theirs = found.filter((row) => row.contact_id === userId);
  for (const { job_id, position } of theirs) {
    await db
      .updateTable('call_time_predictions')
      .set({ contact_id: forgotten })
      .where((row) => row.and({ job_id, position }))
      .execute();
  }
  return theirs.length;
}

async function deleteActivity(userId: string, limit: number, db: Kysely<Tables>): Promise<bigint> {
  const { numDeletedRows } = await db
    .deleteFrom('activity_log')
    .where('user_id', '=', userId)
    .limit(limit)
    .executeTakeFirstOrThrow();
  return numDeletedRows;
}

/** Whatever the id names there: callers may call a contact or an entity by it too. */
async function deleteOutcomes(userId: string, limit: number, db: Kysely<Tables>): Promise<bigint> {
  const { numDeletedRows } = await db
    .deleteFrom('outcomes')
    .where('subject', '=', userId)
    .limit(limit)
    .executeTakeFirstOrThrow();
  return numDeletedRows;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
