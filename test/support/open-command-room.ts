import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../shared/config/read-settings.ts';
import { openDatabase, type Database } from '../../shared/database/open-database.ts';
import { createTestDatabase } from './create-test-database.ts';
import { runPresage, type CommandRun } from './run-presage.ts';

/** The command line, with a database and a folder of its own. */
export interface CommandRoom extends AsyncDisposable {
  database: Database;
  databaseUrl: string;
  /** Where commands are run. */
  directory: string;
  presage(argv: readonly string[], options?: PresageOptions): Promise<CommandRun>;
}

export interface PresageOptions {
  /** What is on standard input. */
  input?: string;
  /** All of the environment, instead of the addresses of Redis and the database. */
  environment?: Environment;
}

/** @param redisUrl instead of the test run's Redis, where other tests' queues have the same names */
export async function openCommandRoom(redisUrl = process.env['TEST_REDIS_URL']): Promise<CommandRoom> {
  await using resources = new AsyncDisposableStack();
  const { settings, url } = resources.use(await createTestDatabase());
  const database = resources.use(openDatabase(settings));
  const directory = await mkdtemp(join(tmpdir(), 'presage-test-'));
  resources.defer(() => rm(directory, { recursive: true }));
  const ofTheRoom = { REDIS_URL: redisUrl, DATABASE_URL: url };
  const owned = resources.move();
  return {
    database,
    databaseUrl: url,
    directory,
    presage: (argv, { environment = ofTheRoom, input = '' } = {}) =>
      runPresage(argv, environment, { workingDirectory: directory, input }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
