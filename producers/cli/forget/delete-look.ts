import type { Kysely } from 'kysely';
import type { Tables } from '../../../shared/database/tables.ts';

/** Deletes that a user was looked at. Answers the id of the job that did; none where nobody did. */
export function deleteLook(userId: string, db: Kysely<Tables>): Promise<string[]> {
  return db.transaction().execute(async (transaction) => {
    // Whoever queues predictions of theirs holds this row, and finds none after this.
    const looks = await transaction
      .selectFrom('activity_looks')
      .select(['user_id', 'job_id'])
      .where('user_id', '=', userId)
      .forUpdate()
      .execute();
    await transaction.deleteFrom('activity_looks').where('user_id', '=', userId).execute();
    return looks.map((look) => look.job_id);
  });
}
