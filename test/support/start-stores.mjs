import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openGuard } from '../../shared/embedded/open-guard.ts';
import { startMysql } from '../../shared/embedded/start-mysql.ts';
import { startRedis } from '../../shared/embedded/start-redis.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';

/**
 * Starts one private Redis and one private MySQL or MariaDB for the whole test run. Every test file takes a
 * prefix or a database of its own on them. The guard stops them also when Jest is interrupted.
 */
export default async function startStores() {
  const directory = await mkdtemp(path.join(tmpdir(), 'presage-tests-'));
  const resources = new AsyncDisposableStack();
  globalThis.presageTestStores = resources;
  const guard = resources.use(await openGuard());
  guard.removeAtEnd(directory);
  const options = {
    environment: process.env,
    guard,
    logger: createLogger({ process: 'tests', level: 'warn' }),
  };
  try {
    const [redis, mysql] = await Promise.all([
      startRedis({ ...options, directory: path.join(directory, 'redis') }),
      startMysql({ ...options, directory: path.join(directory, 'mysql'), mayCreateDatabases: true }),
    ]);
    resources.use(redis);
    resources.use(mysql);
    process.env.TEST_REDIS_URL = redis.url;
    process.env.TEST_MYSQL_URL = mysql.url;
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}
