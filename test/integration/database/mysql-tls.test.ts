import { once } from 'node:events';
import { createConnection } from 'mysql2';
import { databaseFromUrl } from '../../../shared/config/database-settings.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { openSecuredStores, type SecuredStores } from '../../support/open-secured-stores.ts';

let stores: SecuredStores;
beforeAll(async () => {
  stores = await openSecuredStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

/** Nobody has looked at the address: this is why the settings refuse one. */
test('the driver and addresses: it compares the certificate with "localhost"', async () => {
  const connection = createConnection({
    ...databaseFromUrl(stores.mysqlUrl),
    host: '127.0.0.1',
    ssl: { ca: stores.files.issuer.pem, rejectUnauthorized: true, verifyIdentity: true },
  });
  await once(connection, 'connect');
  connection.destroy();
});

test.each([
  ['a certificate that is not accepted', { tls: true }],
  ['a password that is not', { tls: false, password: 'wrong-word' }],
])('%s is an outage: nobody’s job is to blame, and it is told once', async (_what, changes) => {
  const lines: string[] = [];
  const log = createLogger({ process: 'test', level: 'info', write: (line) => void lines.push(line) });
  await using database = openDatabase(
    { ...databaseFromUrl(stores.mysqlUrl), poolSize: 2, ...changes },
    { log },
  );
  for (let time = 0; time < 2; time += 1) {
    const failure = database.db.selectFrom('jobs').select('id').execute();
    await expect(failure).rejects.toBeInstanceOf(StoreUnavailableError);
  }
  expect(await database.isUp()).toBe(false);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/"finding":"localhost:\d+|"finding":"the certificate of localhost:\d+/);
  expect(lines[0]).not.toContain('wrong-word');
});
