import type { Kysely } from 'kysely';
import { contentGeneration } from '../../../shared/contracts/content-generation.ts';
import type { Tables } from '../../../shared/database/tables.ts';
import { identityKey } from '../../../shared/queue/enqueue.ts';

const keysPerStatement = 500;

export interface FoundPrediction {
  /** Of its row in `generation_queue`. */
  id: number;
  /** The jobs that make, or made, its page: they name the row and nobody. */
  jobIds: string[];
}

/** What a user was expected to need, whoever wrote that, with the jobs that make pages of it. */
export async function findPredictions(userId: string, db: Kysely<Tables>): Promise<FoundPrediction[]> {
  const rows = await db
    .selectFrom('generation_queue')
    .select(['id', 'job_id'])
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute();
  const predictions = rows.map(({ id, job_id: jobId }) => ({
    id,
    jobIds: jobId === null ? [] : [jobId],
    key: uniqueKeyOf(id),
  }));
  // The job of a row that another system wrote is found by what makes it unique.
  for (let start = 0; start < predictions.length; start += keysPerStatement) {
    const part = predictions.slice(start, start + keysPerStatement);
    const jobs = await db
      .selectFrom('jobs')
      .select(['id', 'unique_key'])
      .where(
        'unique_key',
        'in',
        part.map(({ key }) => key),
      )
      .execute();
    const byKey = new Map(jobs.map((job) => [job.unique_key, job.id]));
    for (const { key, jobIds } of part) {
      const jobId = byKey.get(key);
      if (jobId !== undefined && !jobIds.includes(jobId)) jobIds.push(jobId);
    }
  }
  return predictions.map(({ id, jobIds }) => ({ id, jobIds }));
}

function uniqueKeyOf(generationId: number): string {
  const payload = { generation_id: generationId };
  return identityKey(contentGeneration, payload, payload) ?? '';
}
