import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isConfigured } from '../config/embedded-parts.ts';
import type { Environment } from '../config/read-settings.ts';
import { configuredAddresses, type StackAddresses } from './configured-addresses.ts';
import type { EmbeddedServer, EmbeddedServerOptions } from './embedded-server.ts';
import { startDynamodb } from './start-dynamodb.ts';
import { startMysql } from './start-mysql.ts';
import { startRedis } from './start-redis.ts';

export interface EmbeddedStack extends AsyncDisposable {
  /** Where everything is, also the parts that the environment names. */
  addresses: StackAddresses;
  /** The given environment with these addresses: what processes of the fleet are started with. */
  environment: Environment;
  /** Only those that were started. */
  servers: readonly EmbeddedServer[];
}

/**
 * Starts a private Redis, MariaDB or MySQL and DynamoDB emulator and makes a folder for artifacts, except for
 * what the environment names. Disposing it stops the servers.
 *
 * @throws MissingServerError, ChildStartError, ConfigurationError
 */
export async function startEmbeddedStack(options: EmbeddedServerOptions): Promise<EmbeddedStack> {
  const { directory, environment } = options;
  const resources = new AsyncDisposableStack();
  const configured = configuredAddresses(environment);
  const at = (part: string): EmbeddedServerOptions => ({ ...options, directory: path.join(directory, part) });
  const starts = await Promise.allSettled([
    configured.redis === undefined ? startRedis(at('redis')) : undefined,
    configured.mysql === undefined ? startMysql(at('mysql')) : undefined,
    configured.dynamodb === undefined ? startDynamodb(at('dynamodb')) : undefined,
  ]);
  ...
}
