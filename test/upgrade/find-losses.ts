import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../../shared/database/tables.ts';
import { contactsPerJob, leadsPerBulk, type SteadyWork } from './open-steady-work.ts';

const settleWithinMs = 120_000;
const lookEveryMs = 500;

/** Waits until no job is open, and answers how many there are by queue and state. */
export async function untilSettled(
  db: Kysely<Tables>,
): Promise<{ queue: string; state: string; jobs: number }[]> {
  for (const giveUpAtMs = performance.now() + settleWithinMs; ;) {
    const counts = await db
      .selectFrom('jobs')
      .select(['queue', 'state', (row) => row.fn.countAll<number>().as('jobs')])
      .groupBy(['queue', 'state'])
      .orderBy('queue')
      .execute();
    if (counts.every(({ state }) => state !== 'accepted')) return counts;
    if (performance.now() > giveUpAtMs) return counts;
    await delay(lookEveryMs);
  }
}

/** What was accepted and did not end as it should, in words. */
export async function findLosses(work: SteadyWork, db: Kysely<Tables>, api: string): Promise<string[]> {
  const losses: string[] = [];
  const { rows: unfinished } = await sql<{ id: string; queue: string; state: string; error: string | null }>`
    select id, queue, state, error from jobs where state != 'completed' limit 20`.execute(db);
  for (const { id, queue, state, error } of unfinished) losses.push(`${queue} ${id} is ${state}: ${error}`);

  async function expectRows(jobs: readonly string[], table: string, each: number): Promise<void> {
    const { rows } = await sql<{ job_id: string; count: number }>`
      select job_id, count(*) as count from ${sql.table(table)} group by job_id`.execute(db);
    const counts = new Map(rows.map(({ job_id: id, count }) => [id, count]));
    for (const id of jobs) {
      const count = counts.get(id) ?? 0;
      if (count !== each) losses.push(`${table} has ${count} rows of the job ${id}, not ${each}`);
    }
  }
  await expectRows(work.callTimeJobs, 'call_time_predictions', contactsPerJob);
  await expectRows(work.bulkJobs, 'lead_scores', leadsPerBulk);

  const listSchema = z.object({ insights: z.array(z.unknown()) });
  for (const entity of work.alertedEntities) {
    const { insights } = listSchema.parse(await (await fetch(`${api}/v1/insights/${entity}`)).json());
    if (insights.length !== 1) losses.push(`there are ${insights.length} insights about ${entity}, not 1`);
  }
  return losses;
}

/** What the processes logged as errors, by the file. */
export function loggedErrors(logDirectory: string): string[] {
  const files = readdirSync(logDirectory).filter((file) => file.endsWith('.log'));
  return files.flatMap((file) =>
    readFileSync(join(logDirectory, file), 'utf8')
      .split('\n')
      .filter((line) => /"level":("error"|"fatal"|50|60)/.test(line))
      .map((line) => `${file}: ${line}`),
  );
}
