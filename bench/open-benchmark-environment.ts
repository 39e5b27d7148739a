import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseFromUrl } from '../shared/config/database-settings.ts';
import variablesOfParts from '../shared/config/embedded-parts.json' with { type: 'json' };
import { migrateUp } from '../shared/database/migrate.ts';
import { openDatabase } from '../shared/database/open-database.ts';
import { openGuard } from '../shared/embedded/open-guard.ts';
import { startMysql } from '../shared/embedded/start-mysql.ts';
import { startRedis } from '../shared/embedded/start-redis.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import type { Environment } from '../shared/config/read-settings.ts';
import type { BenchmarkEnvironment } from './benchmark-report.ts';

/** A fleet that a benchmark starts, fills and harms has stores of its own, whatever the environment names. */
const withoutStores = Object.fromEntries(
  Object.values(variablesOfParts)
    .flat()
    .flatMap((name) => [
      [name, ''],
      [`${name}_FILE`, ''],
    ]),
);

/** Starts servers that nothing else uses, with the settings of the embedded stack; they go with `resources`. */
export async function openBenchmarkEnvironment(
  resources: AsyncDisposableStack,
  processEnvironment: Environment,
): Promise<Omit<BenchmarkEnvironment, 'log'>> {
  const directory = await mkdtemp(join(tmpdir(), 'presage-bench-'));
  const guard = resources.use(await openGuard());
  guard.removeAtEnd(directory);
  const options = {
    environment: processEnvironment,
    guard,
    logger: createLogger({ process: 'bench', level: 'warn' }),
  };
  const redis = resources.use(await startRedis({ ...options, directory: join(directory, 'redis') }));
  const mysql = resources.use(await startMysql({ ...options, directory: join(directory, 'mysql') }));
  const databaseSettings = { ...databaseFromUrl(mysql.url), poolSize: 10, tls: false };
  await using database = openDatabase(databaseSettings);
  await migrateUp(database.db);
  return {
    redis: { kind: 'url', url: redis.url },
    database: databaseSettings,
    processEnvironment: { ...processEnvironment, ...withoutStores },
  };
}
