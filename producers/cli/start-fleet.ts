import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { settingsBesideStores } from '../../shared/config/all-settings.ts';
import { readSettings, type Environment } from '../../shared/config/read-settings.ts';
import type { RunningStack } from '../../shared/config/run-file.ts';
import { modelServing } from '../../shared/contracts/model-serving.ts';
import type { ChildDefinition } from '../../shared/embedded/child-definition.ts';
import { claimDirectory } from '../../shared/embedded/claim-directory.ts';
import { findFreePort, isPortFree } from '../../shared/embedded/find-free-port.ts';
import type { Guard } from '../../shared/embedded/open-guard.ts';
import { untilReadyMessage } from '../../shared/embedded/ready-message.ts';
import { StackError } from '../../shared/embedded/stack-error.ts';
import { startEmbeddedStack } from '../../shared/embedded/start-embedded-stack.ts';
import { supervise } from '../../shared/embedded/supervise.ts';
import { processIdentity } from '../../shared/process/process-identity.ts';
import type { ReadyMessage } from '../../shared/process/run-process.ts';
import { unlessAborted } from '../../shared/outside-call/unless-aborted.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import { fleetProcesses, stages, type FleetSelection } from './fleet-processes.ts';

export interface FleetOptions extends FleetSelection {
  /** Keeps all data in a temporary folder that is deleted at the end, instead of in `.presage`. */
  ephemeral: boolean;
  /** Of the API; 0 means any free one. */
  port: number;
  environment: Environment;
  workingDirectory: string;
  /** Brings the schema up to date, given the environment that the fleet runs with. */
  migrate: (environment: Environment) => Promise<void>;
  guard: Guard;
  logger: Logger;
  /** Where the processes write their logs, one file each; without it to standard error. */
  logDirectory?: string | undefined;
  /** Told what runs, once everything is ready and again after each restart. */
  onChange?: ((stack: RunningStack) => void) | undefined;
  /** Gives up starting. */
  signal?: AbortSignal | undefined;
}

/** The embedded stack with every process of the fleet. Disposing it stops them in order. */
export interface Fleet extends AsyncDisposable {
  /** What runs at this moment. */
  describe(): RunningStack;
  /** What the processes were started with. */
  environment: Environment;
}

const mainFile = path.join(import.meta.dirname, '../../bin/main.ts');

/** What a process may need beyond its grace period before it is killed, in milliseconds. */
const stopMarginMs = 2_000;

/**
 * Starts the servers, brings the schema up to date and starts every process; resolves when all are ready.
 * From then on each is started again when it ends by itself.
 *
 * @throws UsageError, ConfigurationError, StackError, or the signal's reason
 */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { environment, guard, logger, signal = new AbortController().signal } = options;
  const settings = readSettings(settingsBesideStores, environment).process;
  const processes = fleetProcesses(options);
  const apiPort = await chooseApiPort(options.port, settings.host);
  const dashboardPort = await findFreePort(undefined, settings.host);
  const servingPort = await findFreePort(undefined, settings.host);
  const directory = await dataDirectory(options);
  let complete = false;
  const onReady = (): void => {
    if (complete) options.onChange?.(describe());
  };

  await using resources = new AsyncDisposableStack();
  signal.throwIfAborted();
  const stack = resources.use(await startEmbeddedStack({ directory, environment, guard, logger, onReady }));
  signal.throwIfAborted();
  await options.migrate(stack.environment);
  const children = processes.flatMap(({ name, stage, replicas, arguments: commandArguments }) =>
    Array.from({ length: replicas }, (_, index) => {
      const definition: ChildDefinition<ReadyMessage> = {
        name,
        role: 'process',
        program: process.execPath,
        arguments: [mainFile, ...commandArguments],
        environment: {
          ...stack.environment,
          PORT: String(apiPort),
          DASHBOARD_PORT: String(dashboardPort),
          SERVING_PORT: String(servingPort),
          HEALTH_PORT: '0',
        },
        ipc: true,
        ...(options.logDirectory
          ? { logFile: path.join(options.logDirectory, `${name}-${index + 1}.log`) }
          : {}),
        waitUntilReady: untilReadyMessage,
        // All of them start at once, maybe on one busy core.
        readyTimeoutMs: 180_000,
        stopTimeoutMs: settings.shutdownGraceMs + stopMarginMs,
      };
      return { stage, child: supervise(definition, { guard, logger, onReady }) };
    }),
  );
  for (const stage of stages.toReversed()) {
    const ofStage = children.filter((entry) => entry.stage === stage);
    resources.defer(async () => void (await Promise.all(ofStage.map(({ child }) => child.stop()))));
  }

  const urls = { api: '', dashboard: '', model_serving: '' };
  function describe(): RunningStack {
    return {
      ...stack.addresses,
      ...urls,
      health: groupByName(children.map(({ child }) => [child.name, child.ready?.healthUrl])),
      pids: groupByName(
        [...stack.servers, ...children.map(({ child }) => child)].map(({ name, pid }) => [name, pid]),
      ),
      up: { pid: process.pid, identity: processIdentity(process.pid) ?? '' },
    };
  }

  await unlessAborted(Promise.all(children.map(({ child }) => child.start())), signal);
  const urlOf = (name: string) => children.find(({ child }) => child.name === name)?.child.ready?.url ?? '';
  urls.api = urlOf('api');
  urls.dashboard = urlOf('dashboard');
  urls.model_serving = urlOf(modelServing.name);
  complete = true;
  options.onChange?.(describe());
  const owned = resources.move();
  return {
    environment: stack.environment,
    describe,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function chooseApiPort(port: number, host: string): Promise<number> {
  if (port === 0) return await findFreePort(undefined, host);
  if (await isPortFree(port, host)) return port;
  throw new StackError(
    `Port ${port} on ${host} is taken. Choose another one with --port, or any free one with --port 0.`,
  );
}

async function dataDirectory({ ephemeral, guard, workingDirectory }: FleetOptions): Promise<string> {
  if (ephemeral) {
    const temporary = await mkdtemp(path.join(tmpdir(), 'presage-'));
    guard.removeAtEnd(temporary);
    return temporary;
  }
  const directory = path.join(workingDirectory, '.presage');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await claimDirectory(directory, guard);
  return directory;
}

/** The values under each name, in order; those that do not exist at the moment are left out. */
function groupByName<Value>(
  entries: readonly (readonly [string, Value | undefined])[],
): Record<string, Value[]> {
  const groups: Record<string, Value[]> = {};
  for (const [name, value] of entries) {
    const group = (groups[name] ??= []);
    if (value !== undefined) group.push(value);
  }
  return groups;
}
