import { execFile } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import type { RedisNode, RedisSettings } from '../../shared/config/redis-settings.ts';
import { serverEnvironment } from '../../shared/embedded/embedded-server.ts';
import { findFreePort } from '../../shared/embedded/find-free-port.ts';
import { findRedisBinary } from '../../shared/embedded/find-server-binaries.ts';
import { openGuard, type Guard } from '../../shared/embedded/open-guard.ts';
import { pollUntil } from '../../shared/embedded/poll-until.ts';
import { spawnChild } from '../../shared/embedded/spawn-child.ts';
import type { TlsFiles } from './make-tls-files.ts';
import { until } from './until.ts';

/** One process of the cluster. */
export interface ClusterNode extends RedisNode {
  /** Where the nodes talk to each other. */
  busPort: number;
  isRunning(): boolean;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again with what its append-only file holds. */
  start(): Promise<void>;
  /** Asks this node and no other. */
  ask(command: string, ...parameters: string[]): Promise<unknown>;
}

export interface RedisCluster extends AsyncDisposable {
  settings: RedisSettings & { kind: 'cluster' };
  /** The primaries, in the order of their slots. */
  nodes: readonly ClusterNode[];
  replica: ClusterNode | undefined;
  /** Waits until every node that runs finds the cluster whole. */
  untilWhole(): Promise<void>;
}

export interface RedisClusterOptions {
  /** Gives this one of the three primaries a replica, which takes over when it is killed. */
  replicaOf?: number;
  /** Takes TLS connections only, of one user with a password. */
  secured?: TlsFiles;
}

/** The user of a secured cluster. */
const credentials = { username: 'fleet', password: 'a-word' };

/** Three primaries on loopback. */
export async function openRedisCluster({
  replicaOf,
  secured,
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  await using resources = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'presage-cluster-'));
  const guard = resources.use(await openGuard());
  guard.removeAtEnd(directory);
  const all: ClusterNode[] = [];
  for (let index = 0; index < (replicaOf === undefined ? 3 : 4); index += 1) {
    all.push(
      await startNode({
        port: await findFreePort(),
        busPort: await findFreePort(),
        directory,
        guard,
        secured,
      }),
    );
  }
  const nodes = all.slice(0, 3);
  const untilWhole = async () => {
    const running = all.filter((node) => node.isRunning());
    await Promise.all(running.map(({ ask }) => untilAnswer(ask, ['cluster', 'info'], 'cluster_state:ok')));
  };
  const login = secured
    ? ['--tls', '--cacert', secured.authority, '--user', credentials.username, '-a', credentials.password]
    : [];
  const cli = (...parameters: string[]) =>
    promisify(execFile)('redis-cli', [...login, '--cluster', ...parameters]);
  await cli('create', ...nodes.map(({ host, port }) => `${host}:${port}`), '--cluster-yes');
  const [replica, primary] = [all[3], nodes[replicaOf ?? 0]];
  if (replica && primary) {
    const id = String(await primary.ask('cluster', 'myid'));
    await replica.ask('cluster', 'meet', primary.host, String(primary.port), String(primary.busPort));
    await untilAnswer(replica.ask, ['cluster', 'nodes'], id);
    await until(() =>
      replica.ask('cluster', 'replicate', id).then(
        () => true,
        () => false,
      ),
    );
    await untilAnswer(replica.ask, ['info', 'replication'], 'master_link_status:up');
    // The others must know of it, or they do not vote for it.
    for (const { ask } of nodes) await untilAnswer(ask, ['cluster', 'nodes'], `slave ${id}`);
  }
  await untilWhole();
  const owned = resources.move();
  return {
    settings: {
      kind: 'cluster',
      nodes: nodes.map(({ host, port }) => ({ host, port })),
      username: undefined,
      password: undefined,
      tls: secured !== undefined,
      ...(secured ? credentials : {}),
    },
    nodes,
    replica,
    untilWhole,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface NodeOptions {
  port: number;
  /** Where the nodes talk to each other. */
  busPort: number;
  directory: string;
  guard: Guard;
  secured: TlsFiles | undefined;
}

async function startNode({ port, busPort, directory, guard, secured }: NodeOptions): Promise<ClusterNode> {
  const binary = findRedisBinary(process.env);
  const data = join(directory, String(port));
  await mkdir(data);

  /** A connection for one command: the node may have been another process the last time. */
  async function ask(command: string, ...parameters: string[]): Promise<unknown> {
    const redis = new Redis({
      host: '127.0.0.1',
      port,
      retryStrategy: null,
      maxRetriesPerRequest: 0,
      lazyConnect: true,
      ...(secured ? { ...credentials, tls: { ca: secured.issuer.pem } } : {}),
    });
    redis.on('error', () => undefined); // `connect` rejects as well
    try {
      await redis.connect();
      return await redis.call(command, ...parameters);
    } finally {
      redis.disconnect();
    }
  }
  const start = () =>
    spawnChild(
      {
        name: `redis-${port}`,
        role: 'server',
        program: binary.program,
        programName: binary.programName,
        arguments: [
          ...serverArguments(data, busPort),
          ...(secured ? tlsArguments(port, secured) : ['--port', `${port}`]),
        ],
        environment: serverEnvironment(process.env),
        ipc: false,
        logFile: join(data, 'redis.log'),
        waitUntilReady: (_child, ended) =>
          pollUntil(
            () =>
              ask('ping').then(
                () => true,
                () => false,
              ),
            ended,
          ),
        readyTimeoutMs: 60_000,
        stopTimeoutMs: 10_000,
      },
      guard,
    );
  let child = start();
  await child.ready;
  let running = true;
  return {
    host: '127.0.0.1',
    port,
    busPort,
    ask,
    isRunning: () => running,
    async kill() {
      running = false;
      child.signal('SIGKILL');
      await child.ended;
    },
    async start() {
      child = start();
      await child.ready;
      running = true;
    },
  };
}

function serverArguments(data: string, busPort: number): string[] {
  return flags({
    'cluster-port': String(busPort),
    bind: '127.0.0.1',
    dir: data,
    save: '',
    appendonly: 'yes',
    'cluster-enabled': 'yes',
    'cluster-node-timeout': '4000',
    // However long a busy machine has kept a replica from hearing of its primary, it takes over.
    'cluster-replica-validity-factor': '0',
  });
}

function tlsArguments(port: number, { authority, certificate, key }: TlsFiles): string[] {
  const { username, password } = credentials;
  const tls = flags({
    port: '0',
    'tls-port': String(port),
    'tls-cluster': 'yes',
    'tls-replication': 'yes',
    'tls-cert-file': certificate,
    'tls-key-file': key,
    'tls-ca-cert-file': authority,
    'tls-auth-clients': 'no',
  });
  return [...tls, '--user', 'default', 'off', '--user', username, 'on', `>${password}`, '~*', '&*', '+@all'];
}

function flags(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

async function untilAnswer(
  ask: ClusterNode['ask'],
  [command = '', ...parameters]: readonly string[],
  expected: string,
): Promise<void> {
  await until(async () => String(await ask(command, ...parameters)).includes(expected));
}
