import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { databaseFromUrl } from '../../../shared/config/database-settings.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import { migrateUp } from '../../../shared/database/migrate.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { activityEvent } from '../../support/activity-events.ts';
import { apiOptions } from '../../support/api-options.ts';
import { openPrivateServers } from '../../support/open-private-servers.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';

let fleet: TestFleet;
beforeAll(async () => {
  fleet = await openTestFleet([callTimePrediction]);
});
afterAll(() => fleet[Symbol.asyncDispose]());

async function post(server: HttpServer, url: string, payload: object) {
  // Awaited here: the request does not begin before.
  return await server.inject({ method: 'POST', url, payload });
}

test('while MySQL is away nothing is taken in, and the sender is told to try again', async () => {
  await using servers = await openPrivateServers();
  const mysql = await servers.startMysql();
  await using database = openDatabase({ ...databaseFromUrl(mysql.url), poolSize: 3, tls: false });
  await migrateUp(database.db);
  const server = await buildServer(apiOptions({ ...fleet, database }));
  try {
    const events = [activityEvent(), activityEvent()];
    expect((await post(server, '/v1/activity', events)).json()).toMatchObject({ accepted: 2 });
    await mysql[Symbol.asyncDispose]();
    const more = [...events, activityEvent()];
    const outcomes = [{ ...activityEvent(), kind: 'churned', entity_id: 'e' }];
    for (const [url, payload] of [
      ['/v1/activity', more],
      ['/v1/outcomes', outcomes],
    ] as const) {
      const response = await post(server, url, payload);
      expect(response.statusCode).toBe(503);
      expect(response.headers['retry-after']).toBeDefined();
      expect(response.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    }
    // What needs no store is answered all the same.
    expect((await post(server, '/v1/activity', [{}])).statusCode).toBe(200);
  } finally {
    await server.close();
  }
});

test('when MySQL stops answering in the middle of a request, none of it is there', async () => {
  const { db } = fleet.database;
  await using impatient = openDatabase(fleet.databaseSettings, { queryTimeoutMs: 1_000 });
  const server = await buildServer(apiOptions({ ...fleet, database: impatient }));
  const patientServer = await buildServer(apiOptions(fleet));
  try {
    const events = Array.from({ length: 1_500 }, (_, index) =>
      activityEvent({ event_id: `lost-${String(index).padStart(4, '0')}` }),
    );
    // The second statement waits for a row of another transaction.
    const held = await db.startTransaction().execute();
    await held
      .insertInto('activity_log')
      .values({ event_id: 'lost-1400', user_id: 'u', activity_type: 'a', occurred_at: new Date() })
      .execute();
    expect((await post(server, '/v1/activity', events)).statusCode).toBe(503);
    await held.rollback().execute();
    expect(await db.selectFrom('activity_log').selectAll().execute()).toEqual([]);
    const again = await post(patientServer, '/v1/activity', events);
    expect(again.json()).toMatchObject({ accepted: 1_500, duplicates: 0 });
  } finally {
    await server.close();
    await patientServer.close();
  }
});
