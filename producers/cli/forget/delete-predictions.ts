import type { Kysely } from 'kysely';
import type { Tables } from '../../../shared/database/tables.ts';
import { findPredictions } from './find-predictions.ts';

const rowsPerStatement = 500;

/**
 * Deletes what a user was expected to need. Answers how many predictions there were.
 *
 * @param running jobs that workers have in hand: their predictions stay, because they are found by them again
 */
export async function deletePredictions(
  userId: string,
  running: ReadonlySet<string>,
  db: Kysely<Tables>,
): Promise<number> {
  const predictions = await findPredictions(userId, db);
  const ids = predictions.filter(({ jobIds }) => !jobIds.some((id) => running.has(id))).map(({ id }) => id);
  let deleted = 0;
  for (let start = 0; start < ids.length; start += rowsPerStatement) {
    const { numDeletedRows } = await db
      .deleteFrom('generation_queue')
      .where('id', 'in', ids.slice(start, start + rowsPerStatement))
      .executeTakeFirstOrThrow();
    deleted += Number(numDeletedRows);
  }
  return deleted;
}
