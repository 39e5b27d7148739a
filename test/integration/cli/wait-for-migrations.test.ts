import { waitForMigrations } from '../../../producers/cli/wait-for-migrations.ts';
import { databaseFromUrl } from '../../../shared/config/database-settings.ts';
import { migrateUp, migrationNames } from '../../../shared/database/migrate.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { createTestDatabase } from '../../support/create-test-database.ts';
import { openPrivateServers } from '../../support/open-private-servers.ts';
import { runPresage } from '../../support/run-presage.ts';
import { until } from '../../support/until.ts';

test('waits until somebody else has run every migration', async () => {
  await using empty = await createTestDatabase({ migrate: false });
  await using database = openDatabase(empty.settings);
  const told: string[] = [];
  let isOver = false;
  const waiting = waitForMigrations(database.db, { write: (text: string) => told.push(text) > 0 }).then(
    () => (isOver = true),
  );
  await until(() => told.includes(`waiting for ${migrationNames.join(', ')}\n`));
  expect(isOver).toBe(false);
  await migrateUp(database.db);
  await waiting;
});

test('waits for MySQL too', async () => {
  await using servers = await openPrivateServers();
  const mysql = await servers.startMysql();
  await using database = openDatabase({ ...databaseFromUrl(mysql.url), poolSize: 1, tls: false });
  await migrateUp(database.db);
  await mysql.stop();
  const told: string[] = [];
  const waiting = waitForMigrations(database.db, { write: (text: string) => told.push(text) > 0 });
  await until(() => told.includes('waiting for MySQL\n'));
  await mysql.start();
  await waiting;
});

test('presage migrate status --wait goes on at once where nothing is pending; nothing else waits', async () => {
  await using ready = await createTestDatabase();
  const run = (direction: string) =>
    runPresage(['migrate', direction, '--wait'], {
      DATABASE_URL: ready.url,
      AWS_EC2_METADATA_DISABLED: 'true',
    });
  const status = await run('status');
  expect(status).toMatchObject({ exitCode: 0, messages: '' });
  expect(status.output).not.toContain('pending');
  expect(await run('up')).toMatchObject({ exitCode: 2, output: '' });
});
