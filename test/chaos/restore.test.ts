import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import { openRunningFleet, type RunningFleet } from '../support/open-running-fleet.ts';
import { takeBackup } from '../support/take-backup.ts';
import { until } from '../support/until.ts';

const queue = callTimePrediction.name;
// One call after the other, so that it is known how many were answered; a stop that does not wait for one that hangs.
const environment = { CALL_TIME_PARALLELISM: '1', SHUTDOWN_GRACE_MS: '1000' };
const hangingMs = 600_000;

function rowsOf({ clients }: RunningFleet) {
  return clients.database.db.selectFrom('call_time_predictions').select(['job_id', 'phone_number']).execute();
}

/** All that a ledger holds of these jobs. */
function jobsOf({ clients }: RunningFleet, ids: readonly string[]) {
  return clients.database.db.selectFrom('jobs').selectAll().where('id', 'in', ids).orderBy('id').execute();
}

/** A fleet with finished jobs, one in mid-work and waiting ones; answers its backup after all its servers are gone. */
async function loseEverythingAfterBackup() {
  await using fleet = await openRunningFleet({ environment, workers: [queue] });
  const { endpoint, clients, submit, settled } = fleet;
  const finished = await submit(5, 2);
  await settled(finished);
  const begun = await submit(1, 20);
  // The third one's call has arrived, so two are answered; from the fourth on, none is.
  await endpoint.arrived(10 + 3);
  endpoint.setLatency(hangingMs);
  await until(async () => (await rowsOf(fleet)).length === 10 + 3);
  await endpoint.arrived(10 + 4);
  await clients.dispatcher.setPaused(queue, true);
  const waiting = await submit(10, 2);
  const backup = await takeBackup(fleet.mysql.url);
  return { backup, finished, ledger: await jobsOf(fleet, finished), open: [...begun, ...waiting] };
}

test('restored from a backup, with nothing else left: open jobs are done once, finished ones are left alone', async () => {
  const { backup, finished, ledger, open } = await loseEverythingAfterBackup();
  expect(backup.rows('jobs').filter(({ state }) => state === 'accepted')).toHaveLength(open.length);
  const paid = backup.rows('call_time_predictions').map((row) => String(row['phone_number']));
  expect(paid).toHaveLength(13);

  await using fleet = await openRunningFleet({
    environment,
    workers: [queue],
    prepareMysql: (mysql) => backup.restore(mysql.url),
  });
  expect(new Set(await fleet.settled(open))).toEqual(new Set(['completed']));
  const rows = await rowsOf(fleet);
  expect(rows).toHaveLength(5 * 2 + 20 + 10 * 2);
  expect(new Set(rows.map((row) => `${row.job_id} ${row.phone_number}`)).size).toBe(rows.length);
  // What was answered before the backup is not asked again, by the job that was cut off neither; all else once.
  const calls = fleet.endpoint.callsByNumber();
  expect(paid.filter((phoneNumber) => calls.has(phoneNumber))).toEqual([]);
  expect([...calls.values()]).toEqual(rows.slice(paid.length).map(() => 1));
  expect(await jobsOf(fleet, finished)).toEqual(ledger);
}, 240_000);
