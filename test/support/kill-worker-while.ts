import { sql, type Transaction } from 'kysely';
import type { Tables } from '../../shared/database/tables.ts';
import { errorCode } from '../../shared/errors/classify.ts';
import type { RunningFleet } from './open-running-fleet.ts';
import { until } from './until.ts';

/**
 * Kills a queue's worker the hard way while what it does next waits for rows that `hold` has locked, and lets go of
 * them when another process is there.
 *
 * @param isThere whether the worker has got to the moment in question; the lock is all that it waits for then
 */
export async function killWorkerWhile(
  { fleet, clients }: Pick<RunningFleet, 'fleet' | 'clients'>,
  queue: string,
  {
    hold,
    isThere,
  }: { hold: (transaction: Transaction<Tables>) => Promise<unknown>; isThere: () => Promise<boolean> },
): Promise<void> {
  const { db } = clients.database;

  /** Statements that wait for locks, by the connections that they came on. */
  async function waitingStatements(): Promise<number[]> {
    const { rows } = await sql<{ id: number }>`
      select trx_mysql_thread_id as id from information_schema.innodb_trx where trx_state = 'LOCK WAIT'`.execute(
      db,
    );
    return rows.map(({ id }) => id);
  }

  await db.transaction().execute(async (transaction) => {
    await hold(transaction);
    await until(isThere);
    // Seldom enough: the server shows the same picture again as long as it is asked within 0.1 s of the last time.
    await until(async () => (await waitingStatements()).length > 0, { everyMs: 200 });
    const waiting = await waitingStatements();
    const [pid = 0] = fleet.describe().pids[queue] ?? [];
    process.kill(pid, 'SIGKILL');
    await until(() => fleet.describe().pids[queue]?.some((other) => other !== pid) ?? false);
    for (const id of waiting) {
      // They have reached the server: without this, it would do them for a worker that is no more.
      const gone: unknown = await sql`kill ${sql.lit(id)}`.execute(db).catch(errorCode);
      // The server may have noticed by itself.
      if (typeof gone === 'string' && gone !== 'ER_NO_SUCH_THREAD') throw new Error(`not killed: ${gone}`);
    }
  });
}
