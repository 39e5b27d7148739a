import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import type { ChildDefinition } from './child-definition.ts';
import { readDataSettings, writeDataSettings } from './data-settings-file.ts';
import { serverEnvironment, type EmbeddedServer, type EmbeddedServerOptions } from './embedded-server.ts';
import { findRedisBinary } from './find-server-binaries.ts';
import { startOnFreePort } from './find-free-port.ts';
import { pollUntil } from './poll-until.ts';
import { supervise } from './supervise.ts';

/**
 * A private Redis that loses at most the last second of writes when the machine fails, and none when only
 * its process does.
 *
 * @throws MissingServerError, ChildStartError
 */
export async function startRedis(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const binary = findRedisBinary(options.environment);
  const { directory } = options;
  const dataDirectory = path.join(directory, 'data');
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const settings = await readDataSettings(directory);

  return startOnFreePort(settings.port, async (port) => {
    const configurationFile = path.join(directory, 'redis.conf');
    await writeFile(configurationFile, configuration(port, settings.password, dataDirectory), {
      mode: 0o600,
    });
    await writeDataSettings(directory, { ...settings, port });
    const url = `redis://default:${settings.password}@127.0.0.1:${port}/0`;
    const definition: ChildDefinition<void> = {
      name: 'redis',
      role: 'server',
      program: binary.program,
      programName: binary.programName,
      arguments: [configurationFile],
      environment: serverEnvironment(options.environment),
      ipc: false,
      logFile: path.join(directory, 'redis.log'),
      waitUntilReady: (_child, ended) => pollUntil(() => redisAnswers(url), ended),
      readyTimeoutMs: 120_000,
      stopTimeoutMs: 10_000,
    };
    const child = supervise(definition, { ...options, policy: { firstStarts: 1 } });
    await child.start();
    return Object.assign(child, { url });
  });
}

function configuration(port: number, password: string, dataDirectory: string): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${password}`,
    `dir ${JSON.stringify(dataDirectory)}`,
    'daemonize no',
    // The append-only file is the whole truth; snapshots beside it would only cost forks.
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
}

/** Whether Redis has loaded its data and accepts our password. */
async function redisAnswers(url: string): Promise<boolean> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
  });
  redis.on('error', () => undefined); // `connect` rejects as well
  try {
    await redis.connect();
    return (await redis.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}
