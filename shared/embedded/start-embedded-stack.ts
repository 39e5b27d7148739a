import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Environment } from '../config/read-settings.ts';
import {
  configuredAddresses,
  environmentWithAddresses,
  type StackAddresses,
} from '../config/stack-addresses.ts';
import type { EmbeddedServer, EmbeddedServerOptions } from './embedded-server.ts';
import { startDynamodb } from './start-dynamodb.ts';
import { startMysql } from './start-mysql.ts';
import { startRedis } from './start-redis.ts';

export interface EmbeddedStack extends AsyncDisposable {
  /** Where everything is, also the parts that the environment names. */
  addresses: StackAddresses;
  /** The given environment with these addresses: what the processes of the fleet are started with. */
  environment: Environment;
  /** Only those that were started here. */
  servers: readonly EmbeddedServer[];
}

/**
 * Starts a private Redis, MariaDB or MySQL and DynamoDB emulator and makes a folder for artifacts, except for
 * what the environment names. Disposing it stops the servers.
 *
 * @throws StackError, ConfigurationError
 */
export async function startEmbeddedStack(options: EmbeddedServerOptions): Promise<EmbeddedStack> {
  const { directory, environment } = options;
  const configured = configuredAddresses(environment);
  const servers: EmbeddedServer[] = [];

  async function start(
    part: 'redis' | 'mysql' | 'dynamodb',
    startServer: (options: EmbeddedServerOptions) => Promise<EmbeddedServer>,
  ): Promise<string> {
    const address = configured[part];
    if (address !== undefined) return address;
    const server = await startServer({ ...options, directory: path.join(directory, part) });
    servers.push(server);
    return server.url;
  }
  async function stop(): Promise<void> {
    await Promise.all(servers.map((server) => server.stop()));
  }

  const starts = [
    start('redis', startRedis),
    start('mysql', startMysql),
    start('dynamodb', startDynamodb),
  ] as const;
  try {
    const [redis, mysql, dynamodb] = await Promise.all(starts);
    const artifacts = configured.artifacts ?? (await makeArtifactsFolder(path.join(directory, 'artifacts')));
    const addresses: StackAddresses = { redis, mysql, dynamodb, artifacts };
    return {
      addresses,
      environment: {
        ...environmentWithAddresses(environment, addresses),
        // This is somebody's own machine: asking instance metadata for credentials would only cost time.
        AWS_EC2_METADATA_DISABLED: 'true',
      },
      servers,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await Promise.allSettled(starts);
    await stop();
    throw error;
  }
}

async function makeArtifactsFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return pathToFileURL(folder).href;
}
