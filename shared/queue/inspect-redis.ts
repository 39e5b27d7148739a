import { Cluster, type Redis } from 'ioredis';
import { clockAheadMs } from '../clock/clock-ahead.ts';
import type { RedisSettings } from '../config/redis-settings.ts';
import { createLogger } from '../telemetry/create-logger.ts';
import { connectRedis, type RedisClient } from './connect-redis.ts';

/** What one Redis server tells of itself. What its user may not ask is `undefined`. */
export interface RedisServer {
  /** `host:port`. */
  address: string;
  version: string;
  role: string;
  /** `standalone`, `cluster` or `sentinel`. */
  mode: string;
  evictionPolicy: string | undefined;
  /** The append-only file. */
  aofEnabled: boolean | undefined;
  aofIsWritten: boolean;
  usedMemoryBytes: number;
  /** 0 means without a limit. */
  maxMemoryBytes: number;
  /** Whether its configuration may be read, which the providers of managed Redis mostly forbid. */
  configIsReadable: boolean;
  /** How far its clock is ahead of this machine's, in milliseconds. */
  clockAheadMs: number | undefined;
}

/** Redis was not ready in time, and gave no reason. */
export class RedisNotReadyError extends Error {
  override readonly name = 'RedisNotReadyError';
}

/** Longer than the connection's own limit, whose error says more. */
const readyWithinMs = 5_000;

/**
 * Connects once and asks each server, on a cluster each primary. Bounded by the connection's own time limits.
 *
 * @throws the first error that the connection met, or RedisNotReadyError
 */
export async function inspectRedis(settings: RedisSettings): Promise<RedisServer[]> {
  await using connection = connectRedis(
    settings,
    'producer',
    createLogger({ process: 'inspect', level: 'silent' }),
  );
  const { client } = connection;
  try {
    await untilReady(client);
  } catch (error) {
    throw (await nodeFailure(settings)) ?? error;
  }
  const nodes = client instanceof Cluster ? client.nodes('master') : [client];
  return await Promise.all(nodes.map(inspectServer));
}

/** Why a node cannot be connected to: the client of a cluster keeps that to itself. */
async function nodeFailure(settings: RedisSettings): Promise<unknown> {
  if (settings.kind !== 'cluster') return undefined;
  const failures = settings.nodes.map(async ({ host, port }) => {
    const log = createLogger({ process: 'inspect', level: 'silent' });
    await using connection = connectRedis({ ...settings, kind: 'server', host, port }, 'producer', log);
    return await untilReady(connection.client).then(
      () => undefined,
      (error: unknown) => error,
    );
  });
  return (await Promise.all(failures)).find((error) => error !== undefined);
}

async function untilReady(client: RedisClient): Promise<void> {
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  let nodeError: Error | undefined;
  const timer = setTimeout(() => reject(nodeError ?? new RedisNotReadyError()), readyWithinMs);
  client.once('ready', resolve);
  // A cluster goes on with the other nodes; its own error, when there is no other, says less.
  client.on('node error', (error: Error) => (nodeError ??= error));
  client.on('error', (error: Error) => reject(nodeError ?? error));
  try {
    await ready;
  } finally {
    clearTimeout(timer);
  }
}

async function inspectServer(node: Redis): Promise<RedisServer> {
  const askedAtMs = Date.now();
  const time = node.time().then(
    ([seconds, microseconds]) =>
      clockAheadMs(Number(seconds) * 1_000 + Number(microseconds) / 1_000, askedAtMs, Date.now()),
    () => undefined,
  );
  const config = node.config('GET', 'appendonly').then(
    () => true,
    () => false,
  );
  const fields = parseInfo(await node.info());
  return {
    address: `${node.options.host}:${node.options.port}`,
    version: fields.get('redis_version') ?? '',
    role: fields.get('role') ?? '',
    mode: fields.get('redis_mode') ?? '',
    evictionPolicy: fields.get('maxmemory_policy'),
    aofEnabled: fields.has('aof_enabled') ? fields.get('aof_enabled') === '1' : undefined,
    aofIsWritten: (fields.get('aof_last_write_status') ?? 'ok') === 'ok',
    usedMemoryBytes: Number(fields.get('used_memory') ?? 0),
    maxMemoryBytes: Number(fields.get('maxmemory') ?? 0),
    configIsReadable: await config,
    clockAheadMs: await time,
  };
}

function parseInfo(info: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}
