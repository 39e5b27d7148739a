import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { findFreePort } from '../../shared/embedded/find-free-port.ts';
import { until } from '../support/until.ts';
import { runProgram } from './run-program.ts';

export interface Container {
  id: string;
  service: string;
  image: string;
  status: string;
  exitCode: number;
  /** `healthy`, `unhealthy`, `starting`; `none` without a health check. */
  health: string;
  /** What the last health check printed. */
  probe: string;
  isRootReadOnly: boolean;
  /** Whether it ends by itself, as a migration does. */
  isOneOff: boolean;
  /** How often Docker has started it again by itself. */
  restarts: number;
}

/** The containers of docker-compose.yml, under a name and on ports of their own. */
export interface ComposeProject extends AsyncDisposable {
  /** Where the API, the dashboard and the models are published. */
  urls: { api: string; dashboard: string; models: string };
  /** What the image is called that was built. */
  image: string;
  /** Runs `docker compose` on this project, with settings for docker-compose.yml; answers what it printed. */
  compose(args: readonly string[], options?: { settings?: Settings; input?: string }): Promise<string>;
  /** Runs `docker`; answers what it printed. */
  docker(...args: readonly string[]): Promise<string>;
  /** Runs `presage` in the API's container; answers what it printed. */
  presage(...args: readonly string[]): Promise<string>;
  /** Rows of a statement that the MySQL of the project answers. */
  query(statement: string): Promise<string[][]>;
  /** Those of one service or of all, also the ones that have ended. */
  containers(service?: string): Promise<Container[]>;
  /** Waits until everything is healthy, and what ends by itself has ended well. */
  untilHealthy(): Promise<void>;
  /** Removes containers, networks and volumes. */
  remove(): Promise<void>;
  /** What Docker still has of this project, by its kinds of things. */
  leftovers(): Promise<Record<'containers' | 'networks' | 'volumes', string>>;
}

export type Settings = Readonly<Record<string, string>>;

const root = join(__dirname, '../..');
const composeFiles = ['docker-compose.yml', 'test/containers/docker-compose.yml'];
const image = 'presage-test';
/** For whatever a machine with two busy cores may take. */
const patience = { withinMs: 900_000, everyMs: 1_000 };

const inspectedSchema = z.array(
  z.object({
    Id: z.string(),
    Config: z.object({ Image: z.string(), Labels: z.record(z.string(), z.string()) }),
    State: z.object({
      Status: z.string(),
      ExitCode: z.int(),
      Health: z
        .object({ Status: z.string(), Log: z.array(z.object({ Output: z.string() })).nullish() })
        .optional(),
    }),
    HostConfig: z.object({ ReadonlyRootfs: z.boolean(), RestartPolicy: z.object({ Name: z.string() }) }),
    RestartCount: z.int(),
  }),
);

/**
 * Builds the image and starts every service. Whatever becomes of this process, everything of the project is removed
 * when it has ended; the image stays, as the cache of the next run.
 */
export async function openComposeProject(): Promise<ComposeProject> {
  const name = `presage-test-${process.pid}`;
  const ports = { api: await findFreePort(), dashboard: await findFreePort(), models: await findFreePort() };
  const environment = {
    ...environmentWithoutSettings(),
    PRESAGE_IMAGE: image,
    PORT: String(ports.api),
    DASHBOARD_PORT: String(ports.dashboard),
    SERVING_PORT: String(ports.models),
  };
  const composeArgs = [
    'compose',
    `--project-name=${name}`,
    // Instead of a developer's own file of settings.
    '--env-file=/dev/null',
    ...composeFiles.flatMap((file) => ['--file', file]),
  ];
  const removal = [
    ...composeArgs,
    '--profile',
    '*',
    'down',
    '--volumes',
    '--remove-orphans',
    '--timeout',
    '5',
  ];
  const options = { environment, workingDirectory: root };

  const compose: ComposeProject['compose'] = (args, { settings = {}, input } = {}) =>
    runProgram('docker', [...composeArgs, ...args], {
      environment: { ...environment, ...settings },
      workingDirectory: root,
      ...(input === undefined ? {} : { input }),
    });
  const docker: ComposeProject['docker'] = (...args) => runProgram('docker', args, options);

  async function containers(service?: string): Promise<Container[]> {
    const labels = { project: name, ...(service === undefined ? {} : { service }) };
    const filters = Object.entries(labels).flatMap(([label, value]) => [
      '--filter',
      `label=com.docker.compose.${label}=${value}`,
    ]);
    const ids = (await docker('ps', '--all', '--quiet', ...filters)).split('\n').filter((id) => id !== '');
    if (ids.length === 0) return [];
    const inspected = inspectedSchema.parse(JSON.parse(await docker('inspect', ...ids)));
    return inspected.map(({ Id, Config, State, HostConfig, RestartCount }) => ({
      id: Id,
      service: Config.Labels['com.docker.compose.service'] ?? '',
      image: Config.Image,
      status: State.Status,
      exitCode: State.ExitCode,
      health: State.Health?.Status ?? 'none',
      probe: State.Health?.Log?.at(-1)?.Output ?? '',
      isRootReadOnly: HostConfig.ReadonlyRootfs,
      isOneOff: HostConfig.RestartPolicy.Name !== 'unless-stopped',
      restarts: RestartCount,
    }));
  }

  async function unwell(): Promise<Container[]> {
    return (await containers()).filter(({ isOneOff, status, exitCode, health }) =>
      isOneOff ? status !== 'exited' || exitCode !== 0 : health !== 'healthy',
    );
  }

  async function untilHealthy(): Promise<void> {
    try {
      await until(async () => (await unwell()).length === 0, patience);
    } catch (error) {
      const found = await unwell();
      const told = found.map(
        ({ service, status, health, probe }) => `${service} is ${status} and ${health}: ${probe.trim()}`,
      );
      const logs = await compose(['logs', '--tail', '20', ...found.map(({ service }) => service)]);
      throw new Error([...told, logs].join('\n'), { cause: error });
    }
  }

  async function leftovers(): Promise<Record<'containers' | 'networks' | 'volumes', string>> {
    const filter = ['--quiet', '--filter', `label=com.docker.compose.project=${name}`];
    return {
      containers: await docker('ps', '--all', ...filter),
      networks: await docker('network', 'ls', ...filter),
      volumes: await docker('volume', 'ls', ...filter),
    };
  }

  const remover = removeAtEnd(removal, environment);
  try {
    await compose(['build', 'api']);
    await compose(['up', '--detach', '--no-build', '--pull', 'missing']);
    await untilHealthy();
  } catch (error) {
    await remover[Symbol.asyncDispose]();
    throw error;
  }
  return {
    urls: {
      api: `http://127.0.0.1:${ports.api}`,
      dashboard: `http://127.0.0.1:${ports.dashboard}`,
      models: `http://127.0.0.1:${ports.models}`,
    },
    image,
    compose,
    docker,
    presage: (...args) => compose(['exec', '-T', 'api', 'presage', ...args]),
    async query(statement) {
      const client =
        'MYSQL_PWD="$MYSQL_PASSWORD" "$(command -v mysql || command -v mariadb)" --user="$MYSQL_USER" ' +
        '--batch --skip-column-names "$MYSQL_DATABASE"';
      const printed = await compose(['exec', '-T', 'mysql', 'sh', '-c', client], { input: statement });
      return printed
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\t'));
    },
    containers,
    untilHealthy,
    async remove() {
      await runProgram('docker', removal, options);
    },
    leftovers,
    [Symbol.asyncDispose]: () => remover[Symbol.asyncDispose](),
  };
}

/** This process's environment without anything that docker-compose.yml takes from it: no test asks a real vendor. */
function environmentWithoutSettings(): NodeJS.ProcessEnv {
  const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
  // Interpolated, or a name that is handed on.
  const settings = new Set([...text.matchAll(/(?:\$\{|^ +)([A-Z0-9_]+)/gm)].map(([, name]) => name));
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !settings.has(name)));
}

/** Runs a command of Docker when it is disposed, or when this process has ended in any other way. */
function removeAtEnd(args: readonly string[], environment: NodeJS.ProcessEnv): AsyncDisposable {
  // In a process group of its own, which Ctrl-C does not reach. Its standard input ends when this process does.
  const remover = spawn('sh', ['-c', 'cat; exec docker "$@" 2> /dev/null', 'sh', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
    env: environment,
    cwd: root,
  });
  return {
    async [Symbol.asyncDispose]() {
      if (remover.exitCode !== null) return;
      remover.stdin.end();
      await once(remover, 'exit');
    },
  };
}
