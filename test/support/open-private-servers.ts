import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../shared/config/read-settings.ts';
import type { EmbeddedServer } from '../../shared/embedded/embedded-server.ts';
import { openGuard } from '../../shared/embedded/open-guard.ts';
import { startDynamodb } from '../../shared/embedded/start-dynamodb.ts';
import { startMysql } from '../../shared/embedded/start-mysql.ts';
import { startRedis } from '../../shared/embedded/start-redis.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';

export interface PrivateServers extends AsyncDisposable {
  startRedis(): Promise<EmbeddedServer>;
  startMysql(): Promise<EmbeddedServer>;
  startDynamodb(): Promise<EmbeddedServer>;
}

/**
 * Servers that one test may stop, wipe and kill without disturbing the others.
 *
 * @param environment its `PATH` says where they are looked for first
 */
export async function openPrivateServers(environment: Environment = process.env): Promise<PrivateServers> {
  const resources = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'presage-test-'));
  const guard = resources.use(await openGuard());
  guard.removeAtEnd(directory);
  const options = {
    environment,
    guard,
    logger: createLogger({ process: 'test', level: 'silent' }),
  };
  return {
    startRedis: async () =>
      resources.use(await startRedis({ ...options, directory: join(directory, 'redis') })),
    startMysql: async () =>
      resources.use(
        await startMysql({ ...options, directory: join(directory, 'mysql'), mayCreateDatabases: true }),
      ),
    startDynamodb: async () =>
      resources.use(await startDynamodb({ ...options, directory: join(directory, 'dynamodb') })),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
