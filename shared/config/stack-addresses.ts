import { databaseSettings } from './database-settings.ts';
import { isConfigured, type EmbeddedPart } from './embedded-parts.ts';
import { readSettings, type Environment } from './read-settings.ts';
import { redisSettings, type RedisSettings } from './redis-settings.ts';

/** Where each part of the stack is: URLs that hold user and password where there are any. */
export type StackAddresses = Record<EmbeddedPart, string>;

/**
 * The addresses of those parts that the environment names.
 *
 * @throws ConfigurationError
 */
export function configuredAddresses(environment: Environment): Partial<StackAddresses> {
  const addresses: Partial<StackAddresses> = {};
  if (isConfigured('redis', environment)) {
    addresses.redis = redisAddress(readSettings({ redis: redisSettings }, environment).redis);
  }
  if (isConfigured('mysql', environment)) {
    const { database: settings } = readSettings({ database: databaseSettings }, environment);
    const url = new URL(`mysql://${settings.host}:${settings.port}/${encodeURIComponent(settings.database)}`);
    if (settings.tls) url.searchParams.set('ssl-mode', 'VERIFY_IDENTITY');
    addresses.mysql = withCredentials(url, settings.user, settings.password);
  }
  if (isConfigured('dynamodb', environment)) {
    const region = environment['AWS_REGION'] || 'us-east-1';
    addresses.dynamodb =
      environment['AWS_ENDPOINT_URL_DYNAMODB'] || `https://dynamodb.${region}.amazonaws.com`;
  }
  if (isConfigured('artifacts', environment)) {
    addresses.artifacts = environment['ARTIFACTS_URL'] || `s3://${environment['ARTIFACTS_BUCKET']}`;
  }
  return addresses;
}

/** The environment together with these addresses. What the environment itself names comes first. */
export function environmentWithAddresses(environment: Environment, addresses: StackAddresses): Environment {
  const found: Record<string, string> = {};
  // A cluster or a bucket that `up` was told to use is no URL; whoever told it so knows the variables.
  if (!isConfigured('redis', environment) && /^rediss?:/.test(addresses.redis))
    found['REDIS_URL'] = addresses.redis;
  if (!isConfigured('mysql', environment)) found['DATABASE_URL'] = addresses.mysql;
  if (!isConfigured('dynamodb', environment)) found['AWS_ENDPOINT_URL_DYNAMODB'] = addresses.dynamodb;
  if (!isConfigured('artifacts', environment) && addresses.artifacts.startsWith('file:')) {
    found['ARTIFACTS_URL'] = addresses.artifacts;
  }
  return { ...environment, ...found };
}

/** A cluster has no URL of its own: its nodes, separated by commas. */
function redisAddress(settings: RedisSettings): string {
  if (settings.kind === 'url') return settings.url;
  if (settings.kind === 'cluster') return settings.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  const url = new URL(`${settings.tls ? 'rediss' : 'redis'}://${settings.host}:${settings.port}/0`);
  return withCredentials(url, settings.username ?? '', settings.password ?? '');
}

function withCredentials(url: URL, user: string, password: string): string {
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  return url.href;
}
