import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import type { RedisNode, RedisSettings } from '../../shared/config/redis-settings.ts';
import { findFreePort } from '../../shared/embedded/find-free-port.ts';
import { findRedisBinary } from '../../shared/embedded/find-server-binaries.ts';
import { openGuard } from '../../shared/embedded/open-guard.ts';
import { until } from './until.ts';

export interface RedisCluster extends AsyncDisposable {
  settings: RedisSettings;
  nodes: readonly RedisNode[];
}

/** Three primaries on loopback, without replicas. */
export async function openRedisCluster(): Promise<RedisCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'presage-cluster-'));
  const guard = await openGuard();
  guard.removeAtEnd(directory);
  const binary = findRedisBinary(process.env);
  const nodes: RedisNode[] = [];
  for (let index = 0; index < 3; index += 1) {
    const port = await clusterPort(nodes);
    const data = join(directory, String(index));
    await mkdir(data);
    const child = spawn(
      binary.program,
      [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--cluster-enabled',
        'yes',
        '--dir',
        data,
        '--save',
        '',
      ],
      { argv0: binary.programName, detached: true, stdio: 'ignore' },
    );
    if (child.pid === undefined) throw new Error('a cluster node did not start');
    guard.watch(child.pid, 'server');
    nodes.push({ host: '127.0.0.1', port });
  }
  await Promise.all(nodes.map(({ port }) => until(() => answers(port, 'PONG', ['ping']))));
  const addresses = nodes.map(({ host, port }) => `${host}:${port}`);
  await promisify(execFile)('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes']);
  await Promise.all(
    nodes.map(({ port }) => until(() => answers(port, 'cluster_state:ok', ['cluster', 'info']))),
  );
  return {
    settings: { kind: 'cluster', nodes, username: undefined, password: undefined, tls: false },
    nodes,
    [Symbol.asyncDispose]: () => guard[Symbol.asyncDispose](),
  };
}

/** A node's bus listens 10,000 above its port, so only low ports will do. */
async function clusterPort(taken: readonly RedisNode[]): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    if (taken.some((node) => node.port === port)) continue;
    if ((await findFreePort(port)) === port && (await findFreePort(port + 10_000)) === port + 10_000)
      return port;
  }
}

async function answers(
  port: number,
  expected: string,
  [command = '', ...parameters]: string[],
): Promise<boolean> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return String(await redis.call(command, ...parameters)).includes(expected);
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}
