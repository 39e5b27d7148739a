import type { Kysely, Selectable } from 'kysely';
import type { JobsTable } from '../database/jobs-table.ts';
import type { Tables } from '../database/tables.ts';

type Row = Selectable<JobsTable>;

/**
 * Changes what a job's payload and result say, both as JSON text, and nothing else. Only while the job is in the
 * state and generation in which it was seen: `undefined` when it has moved on, else the row as it is now.
 */
export async function rewriteJob(
  db: Kysely<Tables>,
  seen: Pick<Row, 'id' | 'state' | 'generation' | 'phase'>,
  rewrite: (texts: Pick<Row, 'payload' | 'result'>) => Pick<Row, 'payload' | 'result'>,
): Promise<Row | undefined> {
  return db.transaction().execute(async (transaction) => {
    const row = await transaction
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', seen.id)
      .where('state', '=', seen.state)
      .where('generation', '=', seen.generation)
      .where('phase', '=', seen.phase)
      .forUpdate()
      .executeTakeFirst();
    if (!row) return undefined;
    const texts = rewrite(row);
    await transaction.updateTable('jobs').set(texts).where('id', '=', row.id).execute();
    return { ...row, ...texts };
  });
}
